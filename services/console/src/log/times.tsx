import "@mantine/dates/styles.css";
import { ActionIcon, Button, Group, NavLink, Popover, Stack } from "@mantine/core";
import { DateTimePicker } from "@mantine/dates";
import { useDisclosure } from "@mantine/hooks";
import { IconChevronDown, IconX } from "@tabler/icons-react";
import dayjs from "dayjs";
import { useState } from "react";
import classes from "./filters.module.css";
import { timeOf } from "./view";

const presets = [
  { since: "15m", label: "Last 15 minutes" },
  { since: "1h", label: "Last hour" },
  { since: "24h", label: "Last 24 hours" },
  { since: "7d", label: "Last 7 days" },
  { since: "30d", label: "Last 30 days" },
];

type Range = { since?: string | undefined; until?: string | undefined };

/** From when to when: so long ago, or a range. */
export function Times({ since, until, onChange }: Range & { onChange: (range: Range) => void }) {
  const [opened, popover] = useDisclosure(false);
  const set = since || until;

  function choose(range: Range) {
    onChange({ since: undefined, until: undefined, ...range });
    popover.close();
  }
  return (
    <Popover
      opened={opened}
      onChange={popover.set}
      position="bottom-start"
      width={280}
      withinPortal={false}
      trapFocus
      returnFocus
    >
      <Button.Group>
        <Popover.Target>
          <Button
            size="xs"
            variant="default"
            className={classes.filter}
            data-set={set ? true : undefined}
            rightSection={set ? undefined : <IconChevronDown size={14} stroke={1.6} aria-hidden />}
            onClick={popover.toggle}
          >
            {set ? rangeLabel(since, until) : "Time"}
          </Button>
        </Popover.Target>
        {set && (
          <ActionIcon
            variant="default"
            className={classes.cross}
            aria-label="Remove the filter Time"
            onClick={() => choose({})}
          >
            <IconX size={14} stroke={1.6} aria-hidden />
          </ActionIcon>
        )}
      </Button.Group>
      <Popover.Dropdown p="xs" aria-label="Time">
        {presets.map((preset) => (
          <NavLink
            key={preset.since}
            component="button"
            label={preset.label}
            active={since === preset.since && !until}
            onClick={() => choose({ since: preset.since })}
          />
        ))}
        <OwnRange key={`${since} ${until}`} since={since} until={until} onApply={choose} />
      </Popover.Dropdown>
    </Popover>
  );
}

const written = "YYYY-MM-DD HH:mm:ss";

function OwnRange({ since, until, onApply }: Range & { onApply: (range: Range) => void }) {
  const now = new Date();
  const shown = (text: string | undefined) => {
    const at = timeOf(text, now);
    return at ? dayjs(at).format(written) : null;
  };
  const [from, setFrom] = useState(shown(since));
  const [to, setTo] = useState(shown(until));
  const wrong = from !== null && to !== null && from >= to;
  const rfc3339 = (text: string | null) => (text ? dayjs(text, written).toISOString() : undefined);
  const shared = {
    size: "xs",
    clearable: true,
    placeholder: "Any time",
    valueFormat: "D MMM YYYY HH:mm",
    clearButtonProps: { "aria-label": "Clear" },
    submitButtonProps: { "aria-label": "Done" },
  } as const;
  return (
    <Stack gap="xs" p="xs" className={classes.own}>
      <DateTimePicker {...shared} {...named("From")} value={from} onChange={setFrom} />
      <DateTimePicker
        {...shared}
        {...named("Until")}
        value={to}
        onChange={setTo}
        error={wrong && "The end has to be after the beginning."}
      />
      <Group justify="flex-end">
        <Button
          size="xs"
          disabled={wrong || (!from && !to)}
          onClick={() => onApply({ since: rfc3339(from), until: rfc3339(to) })}
        >
          Apply
        </Button>
      </Group>
    </Stack>
  );
}

/** Has a field and its calendar named, which Mantine names by what has the popover's id. */
function named(label: string) {
  const id = `time-${label}`;
  return { label, "aria-label": label, id, popoverProps: { id, withinPortal: false } };
}

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

function rangeLabel(since: string | undefined, until: string | undefined): string {
  const preset = presets.find((known) => known.since === since);
  if (preset && !until) return preset.label;
  const words = (text: string) => {
    const at = timeOf(text, new Date());
    return at ? moment.format(at) : text;
  };
  if (since && until) return `${words(since)} to ${words(until)}`;
  return since ? `Since ${words(since)}` : `Until ${words(until ?? "")}`;
}
