import { createConnectQueryKey, useMutation } from "@connectrpc/connect-query";
import { Anchor, Badge, Button, Group, Skeleton, Spoiler, Stack, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "react-router";
import { useMay } from "../api/session";
import { Role } from "../gen/sallyport/admin/v1/access_pb";
import { type Operation, OperationService } from "../gen/sallyport/admin/v1/operation_service_pb";
import { SetupState, StatusService } from "../gen/sallyport/admin/v1/status_service_pb";
import { Problem } from "../parts/problem";
import { Prose } from "../parts/prose";
import { Time } from "../parts/time";
import classes from "./item.module.css";
import { usePlace } from "./place";
import { Section } from "./section";
import { State } from "./state";
import { useStatus } from "./status";

/** What the site began to offer, changed or stopped offering, until an admin has seen it. */
export function Tools() {
  const { data, error, refetch } = useStatus();
  const queries = useQueryClient();
  const notices = data?.notices ?? [];
  const { list, stay } = usePlace<HTMLDivElement>(notices.length, "tools-title");
  const review = useMutation(OperationService.method.reviewOperations, {
    onSuccess: () =>
      queries.invalidateQueries({
        queryKey: createConnectQueryKey({ schema: StatusService.method.getStatus, cardinality: "finite" }),
      }),
  });
  const mark = (tools: Operation[], at: number) => {
    stay(at);
    review.mutate({ names: tools.map(({ name }) => name) });
  };
  const unknown = data?.setup.find(({ name, state }) => name === "tools" && state === SetupState.UNKNOWN);
  return (
    <Section
      id="tools"
      title="New and changed tools"
      lead="What the site began to offer, describes otherwise, or no longer offers. No rule waits for a review: it is for you to see what your rules make of it."
      restricted="mark tools as reviewed"
      actions={
        notices.length > 1 && (
          <Button size="xs" variant="default" loading={review.isPending} onClick={() => mark(notices, 0)}>
            Mark all as reviewed
          </Button>
        )
      }
    >
      {error && !data && <Problem error={error} onRetry={refetch} />}
      {review.error && <Problem title="Nothing was marked" error={review.error} onRetry={review.reset} />}
      <Text className="unseen" role="status">
        {review.data && `${review.data.reviewed} marked as reviewed.`}
      </Text>
      {!data && !error && <Skeleton h={40} />}
      {unknown && (
        <>
          <State tone="unknown">Unknown</State>
          <Text size="sm">
            <Prose>{unknown.detail}</Prose>
          </Text>
        </>
      )}
      {data && !unknown && notices.length === 0 && <State tone="good">All tools are reviewed</State>}
      <Stack gap="md" ref={list}>
        {notices.map((tool, i) => (
          <Notice key={tool.name} tool={tool} onReview={() => mark([tool], i)} />
        ))}
      </Stack>
    </Section>
  );
}

function Notice({ tool, onReview }: { tool: Operation; onReview: () => void }) {
  const admin = useMay(Role.ADMIN);
  return (
    <div className={classes.item}>
      <div>
        <Group gap="xs">
          <Anchor
            component={Link}
            to={`/log?operation=${encodeURIComponent(tool.name)}`}
            size="sm"
            fw={500}
            title="Its calls in the activity log"
          >
            {tool.name}
          </Anchor>
          <Badge size="sm" variant="default" tt="none">
            {noticed(tool)}
          </Badge>
          {tool.noticedAt && (
            <Text size="xs" c="dimmed" span>
              <Time at={tool.noticedAt} />
            </Text>
          )}
        </Group>
        {tool.description && (
          // What an assistant is told of a tool can be long, and is worth reading to its end.
          <Spoiler
            maxHeight={68}
            showLabel="Show all of it"
            hideLabel="Show less"
            fz="sm"
            attributes={{ content: { "aria-label": `What the site says of ${tool.name}` } }}
          >
            {tool.description}
          </Spoiler>
        )}
        <Text size="sm" c="dimmed">
          {tool.decidedBy}
        </Text>
      </div>
      {admin && (
        <Button size="xs" variant="default" onClick={onReview} aria-label={`Mark ${tool.name} as reviewed`} data-place>
          Reviewed
        </Button>
      )}
    </div>
  );
}

function noticed({ notice, changed }: Operation): string {
  return notice === "changed" && changed.length > 0 ? `changed ${changed.join(", ")}` : notice;
}
