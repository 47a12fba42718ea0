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
        {/* It ends with the command that shows the call, which the link does here. */}
        {alert.message.replace(/ See it: .*$/, "")}{" "}
        {alert.recordId && (
          <Anchor component={Link} to={`/log?record=${encodeURIComponent(alert.recordId)}`} underline="always" inherit>
            Show the call
          </Anchor>
        )}
      </Text>
    </div>
  );
}
