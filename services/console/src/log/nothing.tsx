import { createQueryOptions, useTransport } from "@connectrpc/connect-query";
import { Anchor, Button, Stack, Text } from "@mantine/core";
import { useQueries } from "@tanstack/react-query";
import { useMemo } from "react";
import { Link } from "react-router";
import { ActivityService } from "../gen/sallyport/admin/v1/activity_service_pb";
import { count } from "../parts/amounts";
import { Empty } from "../parts/empty";
import { filterLabel, valueLabel } from "./fields";
import { type Filter, filtersOf, searchOf, type View } from "./view";

type Props = {
  view: View;
  onChange: (change: Partial<Record<Filter, string | undefined>>) => void;
  onClear: () => void;
};

/** What stands where no record is found: how there come to be some, or which filter is in the way. */
export function Nothing({ view, onChange, onClear }: Props) {
  const set = filtersOf(view);
  if (set.length > 0) return <NothingFound view={view} set={set} onChange={onChange} onClear={onClear} />;
  return (
    <Empty title="Nothing recorded yet">
      {view.administrative ? (
        "What admins change, such as rules and roles, is recorded here."
      ) : (
        <>
          Everything that assistants do or try to do is recorded here.{" "}
          <Anchor component={Link} underline="always" to="/">
            Getting started
          </Anchor>{" "}
          says how to connect the first.
        </>
      )}
    </Empty>
  );
}

function NothingFound({ view, set, onChange, onClear }: Props & { set: Filter[] }) {
  const transport = useTransport();
  // biome-ignore lint/correctness/useExhaustiveDependencies: what "24h" means is settled once for each view.
  const now = useMemo(() => new Date(), [view]);
  // A range is loosened as one.
  const loosened = set.filter((filter) => filter !== "until" || !view.since);
  const without = useQueries({
    queries: loosened.map((filter) =>
      createQueryOptions(
        ActivityService.method.searchActivity,
        { ...searchOf({ ...view, ...gone(filter) }, now), pageSize: 1 },
        { transport },
      ),
    ),
  });
  const helpful = loosened.flatMap((filter, i) => {
    const found = without[i]?.data;
    return set.length > 1 && found && found.total > 0n ? [{ filter, found }] : [];
  });
  // Which filters are in the way isn't said before it is known.
  const unknown = without.some(({ isPending }) => isPending);
  return (
    <Empty title="Nothing found">
      <Text mih="1.55em">
        {unknown
          ? ""
          : set.length === 1
            ? `No record passes the filter ${named(view, set[0] as Filter)}.`
            : helpful.length > 0
              ? "No record passes all of these filters together. Loosen one:"
              : "No record passes these filters, and none of them is in the way alone."}
      </Text>
      <Stack gap="xs" mt="md" align="center">
        {helpful.map(({ filter, found }) => (
          <Button
            key={filter}
            size="xs"
            variant="default"
            // A value can be longer than a narrow page.
            h="auto"
            mih={30}
            py={4}
            styles={{ label: { whiteSpace: "normal", overflowWrap: "anywhere", lineHeight: 1.4 } }}
            onClick={() => onChange(gone(filter))}
          >
            Without {named(view, filter)}: {count(found.total, "record")}
            {found.totalAtLeast && " or more"}
          </Button>
        ))}
        <Button size="xs" variant="subtle" onClick={onClear}>
          Clear filters
        </Button>
      </Stack>
    </Empty>
  );
}

function gone(filter: Filter): Partial<Record<Filter, undefined>> {
  return filter === "since" ? { since: undefined, until: undefined } : { [filter]: undefined };
}

function named(view: View, filter: Filter): string {
  if (filter === "since" || filter === "until") return "Time";
  return `${filterLabel(filter)} “${valueLabel(filter, view[filter] ?? "")}”`;
}
