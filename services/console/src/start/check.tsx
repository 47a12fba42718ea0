import { Code, Group, Loader, Stack, Text, Timeline } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import type { Record } from "../gen/sallyport/activity/v1/record_pb";
import type { Connection } from "../gen/sallyport/admin/v1/connection_service_pb";
import { clientName, personName } from "../parts/names";
import { Problem } from "../parts/problem";
import { State } from "../parts/state";
import { Time } from "../parts/time";
import { To } from "../parts/to";
import type { useArrivals } from "./arrivals";

/** Waits for the first sign-in and the first call, and shows what arrived. */
export function Check({ arrivals: { connections, calls } }: { arrivals: ReturnType<typeof useArrivals> }) {
  const arrived = (connections.data ? 1 : 0) + (connections.data && calls.data ? 1 : 0);
  return (
    <Stack gap="md">
      <Timeline active={arrived - 1} bulletSize={22} lineWidth={2} color="teal">
        <Timeline.Item
          bullet={<Bullet arrived={Boolean(connections.data)} />}
          title={
            <Text fw={600} size="sm">
              A sign-in
            </Text>
          }
          lineVariant="dashed"
        >
          {connections.error && <Problem error={connections.error} onRetry={connections.refetch} />}
          {connections.data ? (
            <SignedIn connection={connections.data} />
          ) : (
            <Text size="sm" c="dimmed">
              Waiting for the first one. Add Sallyport to an assistant and sign in there; it appears here by itself.
            </Text>
          )}
        </Timeline.Item>
        <Timeline.Item
          bullet={<Bullet arrived={Boolean(calls.data)} />}
          title={
            <Text fw={600} size="sm">
              A call
            </Text>
          }
        >
          {calls.error && <Problem error={calls.error} onRetry={calls.refetch} />}
          {calls.data ? (
            <Called record={calls.data} />
          ) : (
            <Text size="sm" c="dimmed">
              Waiting for the first one. Ask the assistant for something harmless, such as: Which Jira projects do I
              have?
            </Text>
          )}
        </Timeline.Item>
      </Timeline>
    </Stack>
  );
}

function Bullet({ arrived }: { arrived: boolean }) {
  return arrived ? <IconCheck size={14} stroke={2} aria-hidden /> : <Loader size={12} color="gray" aria-hidden />;
}

function SignedIn({ connection }: { connection: Connection }) {
  const person = { id: connection.accountId, email: connection.email, name: connection.name };
  return (
    <Text size="sm">
      {personName(person)} connected {clientName(connection.client)},{" "}
      {connection.since && <Time at={connection.since} />}.{" "}
      <To path={`/connections?${new URLSearchParams({ user: person.email || person.id })}`}>Show connections</To>
    </Text>
  );
}

function Called({ record }: { record: Record }) {
  const { user, decision } = record;
  const blocked = decision?.effect === "blocked";
  const who = user && personName({ id: user.id, email: user.email, name: user.name });
  return (
    <Stack gap={6}>
      <Text size="sm">
        {who ?? "Somebody"} called {record.operation?.name} with {clientName(record.client)},{" "}
        {record.time && <Time at={record.time} />}.
      </Text>
      <Group gap="xs">
        <State tone={blocked ? "bad" : "good"}>{blocked ? "Blocked" : "Allowed"}</State>
        <Text size="sm" c="dimmed">
          {decision?.ruleNumber ? `by rule ${decision.ruleNumber}` : "by the default"}
        </Text>
      </Group>
      {record.argumentsWithheld ? (
        <Text size="sm" c="dimmed">
          Its arguments are for auditors and admins.
        </Text>
      ) : (
        record.arguments && <Code block>{JSON.stringify(record.arguments)}</Code>
      )}
      <Text size="sm">
        <To path={`/log?${new URLSearchParams({ record: record.id })}`}>Show it in the activity log</To>
      </Text>
    </Stack>
  );
}
