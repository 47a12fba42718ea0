import "@mantine/dates/styles.css";
import { Group, Pill, SegmentedControl } from "@mantine/core";
import { DatePickerInput } from "@mantine/dates";
import dayjs from "dayjs";
import { useState } from "react";
import { type Range, ranges, type View } from "./view";

/** The choice of a range, and what the numbers are narrowed to by the address. */
export function Choice({ view, onChange }: { view: View; onChange: (change: Partial<View>) => void }) {
  return (
    <Group gap="sm">
      <Narrowed label="Person" all="Show all people" value={view.user} onRemove={() => onChange({ user: "" })} />
      <Narrowed
        label="Assistant"
        all="Show all assistants"
        value={view.client}
        onRemove={() => onChange({ client: "" })}
      />
      {view.range === "custom" && <Days view={view} onChange={onChange} />}
      <SegmentedControl
        aria-label="Range"
        size="sm"
        data={[...ranges]}
        value={view.range}
        onChange={(range) => onChange({ range: range as Range })}
      />
    </Group>
  );
}

type NarrowedProps = { label: string; all: string; value: string; onRemove: () => void };

function Narrowed({ label, all, value, onRemove }: NarrowedProps) {
  if (!value) return null;
  return (
    <Pill
      size="md"
      withRemoveButton
      onRemove={onRemove}
      removeButtonProps={{ "aria-label": all, "aria-hidden": false, tabIndex: 0 }}
    >
      {label}: {value}
    </Pill>
  );
}

function Days({ view, onChange }: { view: View; onChange: (change: Partial<View>) => void }) {
  // Until both days are chosen, the address stays as it is.
  const [begun, begin] = useState<string | null>(null);
  const days: [string | null, string | null] = begun
    ? [begun, null]
    : [view.start ?? null, view.end ?? view.start ?? null];
  return (
    <DatePickerInput
      type="range"
      aria-label="First and last day"
      placeholder="First and last day"
      size="sm"
      miw="13rem"
      valueFormat="D MMM YYYY"
      allowSingleDateInRange
      maxDate={dayjs().format("YYYY-MM-DD")}
      value={days}
      onChange={([start, end]) => {
        begin(end ? null : start);
        if (start && end) onChange({ start, end });
      }}
      // The calendar is named by its field, which Mantine looks for under the popover's id.
      id="dashboard-days"
      popoverProps={{ id: "dashboard-days", position: "bottom-end" }}
    />
  );
}
