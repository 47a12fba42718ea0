import { timestampDate, timestampMs } from "@bufbuild/protobuf/wkt";
import { useInfiniteQuery } from "@connectrpc/connect-query";
import { Anchor, Button, Skeleton, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { type Alert, AlertService } from "../gen/sallyport/admin/v1/alert_service_pb";
import { Problem } from "../parts/problem";
import { Time } from "../parts/time";
import { Section } from "./section";

/** What was alerted of. */
export function Alerts() {
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    AlertService.method.listAlerts,
    { pageSize: 10, pageToken: "" },
    { pageParamKey: "pageToken", getNextPageParam: (page) => page.nextPageToken || undefined, refetchInterval: 10_000 },
  );
  const alerts = data?.pages.flatMap((page) => page.alerts) ?? [];
  return (
    <Section
      id="alerts"
      title="Alerts"
      lead="A person's first blocked call, an assistant's first call, and more blocked calls than usual. Where they are posted is set by the flags --alert-… of accesslog."
    >
      {error && <Problem error={error} onRetry={refetch} />}
      {!data && !error && <Skeleton h={120} />}
      {data && alerts.length === 0 && <Text size="sm">There were none.</Text>}
      <Stack gap="sm">
        {alerts.map((alert) => (
          <Line key={alert.id} alert={alert} />
        ))}
      </Stack>
      {hasNextPage && (
        <Button mt="sm" size="xs" variant="default" loading={isFetchingNextPage} onClick={() => fetchNextPage()}>
          Show more
        </Button>
      )}
    </Section>
  );
}

const names: Record<string, string> = {
  first_block: "First block",
  new_client: "New assistant",
  block_rate: "Block rate",
};

function Line({ alert }: { alert: Alert }) {
  return (
    <div>
      <Text size="sm">
        <Text span fw={500}>
          {names[alert.alert] ?? alert.alert}
        </Text>{" "}
        <Text span c="dimmed">
          {alert.time && <Time at={alert.time} />}
        </Text>
      </Text>
      <Text size="sm" maw="44rem">
        <What alert={alert} />{" "}
        <Anchor component={Link} to={`/log?${calls(alert)}`} underline="always" inherit>
          {alert.since ? "Show the blocked calls" : "Show the call"}
        </Anchor>
      </Text>
    </div>
  );
}

/** An alert's message without its last sentence, the command that shows what it is about: the link does that here. */
function What({ alert: { message, since } }: { alert: Alert }) {
  const command = message.lastIndexOf(" See ");
  const text = command < 0 ? message : message.slice(0, command);
  // The command line's time is in UTC.
  const [before = "", after] = since ? text.split(/\d\d:\d\d:\d\d UTC/, 2) : [text];
  return (
    <>
      {before}
      {since && after !== undefined && <Time at={since} />}
      {after}
    </>
  );
}

/** The log's address of what raised an alert: a call, or those that were blocked until then. */
function calls({ since, time, recordId }: Alert): URLSearchParams {
  if (!since || !time) return new URLSearchParams({ record: recordId });
  // The last of them is at the alert's time.
  const until = new Date(timestampMs(time) + 1000);
  return new URLSearchParams({
    decision: "blocked",
    since: timestampDate(since).toISOString(),
    until: until.toISOString(),
  });
}
