import { useQuery } from "@connectrpc/connect-query";
import { Anchor, Skeleton, Stack, Text } from "@mantine/core";
import { Link, useLocation } from "react-router";
import type { Record as LogRecord } from "../gen/sallyport/activity/v1/record_pb";
import { ActivityService } from "../gen/sallyport/admin/v1/activity_service_pb";
import { count } from "../parts/amounts";
import { Problem } from "../parts/problem";
import { Time } from "../parts/time";
import classes from "./facts.module.css";
import { Sign } from "./sign";
import { decisionWords } from "./words";

/** How many calls of a session are shown beside one of them. */
const shown = 50;

/** The other calls of a record's MCP session. */
export function Related({ record, linkTo }: { record: LogRecord; linkTo: (id: string) => string }) {
  const { state } = useLocation();
  const { data, error, refetch } = useQuery(
    ActivityService.method.searchActivity,
    { session: record.mcpSession, pageSize: shown },
    { enabled: record.mcpSession !== "" },
  );
  if (!record.mcpSession) {
    return (
      <Text size="sm" c="dimmed" py="md">
        The call names no MCP session, as in MCP 2026-07-28, so that it isn't known which calls belong together.
      </Text>
    );
  }
  if (error) return <Problem error={error} onRetry={refetch} />;
  if (!data) {
    return (
      <Stack gap="sm" py="md">
        <Skeleton h={20} />
        <Skeleton h={20} />
        <Skeleton h={20} />
      </Stack>
    );
  }
  return (
    <>
      <Text size="sm" py="sm">
        {data.totalAtLeast ? `More than ${count(data.total, "call")}` : count(data.total, "call")} in this session.{" "}
        <Anchor
          component={Link}
          size="sm"
          underline="always"
          to={`/log?session=${encodeURIComponent(record.mcpSession)}`}
        >
          Show them in the log
        </Anchor>
      </Text>
      {data.records.map((other) => (
        <Anchor
          key={other.id}
          component={Link}
          to={linkTo(other.id)}
          replace
          state={state}
          className={classes.call}
          aria-current={other.id === record.id || undefined}
        >
          {other.time && <Time at={other.time} />}
          <Text span inherit truncate>
            {other.operation?.name}
          </Text>
          <Sign tone={decisionWords(other.decision).tone}>{decisionWords(other.decision).text}</Sign>
        </Anchor>
      ))}
    </>
  );
}
