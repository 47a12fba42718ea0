import { Anchor, Progress, Table, Text } from "@mantine/core";
import { Link } from "react-router";
import type { ChangedCount, SimulationResult } from "../gen/sallyport/admin/v1/trial_service_pb";
import type { Policy } from "../gen/sallyport/policy/v1/policy_pb";
import { count } from "../parts/amounts";
import { Problem } from "../parts/problem";
import { Time } from "../parts/time";
import classes from "./effects.module.css";
import { useSimulation } from "./simulation";

/** What a policy would have decided otherwise in the last 7 days. */
export function Effects({ policy }: { policy: Policy }) {
  const { progress, result, error, again } = useSimulation(policy);
  if (error) return <Problem error={error} title="What it would have changed isn't known" onRetry={again} />;
  if (!result) {
    const done = Number(progress?.done ?? 0);
    const total = Number(progress?.total ?? 0);
    return (
      <div role="status">
        <Text size="sm" mb={6}>
          {total > 0
            ? `Decided ${done.toLocaleString()} of ${count(total, "call")} again.`
            : "Deciding the calls of the last 7 days again."}
        </Text>
        <Progress size="sm" value={total > 0 ? (100 * done) / total : 0} aria-label="Calls decided again" />
      </div>
    );
  }
  return <Result result={result} />;
}

function Result({ result }: { result: SimulationResult }) {
  const { calls, newlyBlocked, newlyAllowed } = result;
  if (calls === 0n) {
    return (
      <Text size="sm" role="status">
        No call was recorded in the last 7 days, so there is nothing that it would have changed.
      </Text>
    );
  }
  if (newlyBlocked + newlyAllowed === 0n) {
    return (
      <Text size="sm" role="status">
        Each of the {count(calls, "call")} of the last 7 days would have been decided as it was.
      </Text>
    );
  }
  return (
    <>
      <Text size="sm" role="status">
        Of {count(calls, "call")} in the last 7 days, <b>{newlyBlocked.toLocaleString()} would have been blocked</b>{" "}
        that {newlyBlocked === 1n ? "was" : "were"} allowed, and <b>{newlyAllowed.toLocaleString()} allowed</b> that{" "}
        {newlyAllowed === 1n ? "was" : "were"} blocked.
      </Text>
      {result.withoutGroupIds > 0n && (
        <Text size="xs" c="dimmed">
          {count(result.withoutGroupIds, "call")} were recorded without the ids of groups, so that rules that name a
          group by id couldn't match.
        </Text>
      )}
      <Text size="xs" c="dimmed" mt={4}>
        {most("People", result.users)} {most("Clients", result.clients)} {most("Operations", result.operations)}
      </Text>
      <Table.ScrollContainer minWidth={0} maxHeight={220} mt="xs">
        <Table
          fz="xs"
          verticalSpacing={4}
          className={classes.calls}
          aria-label="Calls that would have been decided otherwise, newest first"
        >
          <Table.Tbody>
            {result.records.map((record) => (
              <Table.Tr key={record.id}>
                <Table.Td>
                  <Anchor
                    component={Link}
                    to={`/log?record=${record.id}`}
                    target="_blank"
                    fz="xs"
                    className={classes.link}
                  >
                    {record.time && <Time at={record.time} />}
                  </Anchor>
                </Table.Td>
                <Table.Td>{record.user}</Table.Td>
                <Table.Td>{record.client}</Table.Td>
                <Table.Td>{record.operation}</Table.Td>
                <Table.Td>
                  {record.was} → {record.wouldBe}, {record.ruleNumber ? `rule ${record.ruleNumber}` : "default"}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </>
  );
}

/** The three with the most changed calls. */
function most(title: string, counts: ChangedCount[]): string {
  const named = counts
    .slice(0, 3)
    .map((one) => `${one.key || "others"} ${(one.newlyBlocked + one.newlyAllowed).toLocaleString()}`);
  const more = counts.length - named.length;
  return `${title}: ${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}.`;
}
