import { createConnectQueryKey, useInfiniteQuery, useMutation } from "@connectrpc/connect-query";
import { Button, Code, Skeleton, Stack, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useMay } from "../api/session";
import { Role } from "../gen/sallyport/admin/v1/access_pb";
import { type Rejected, RejectedService } from "../gen/sallyport/admin/v1/rejected_service_pb";
import { Problem } from "../parts/problem";
import { Time } from "../parts/time";
import classes from "./aside.module.css";
import { Section } from "./section";
import { State } from "./state";

const { listRejected, retryRejected } = RejectedService.method;

/** Entries of the record that Elasticsearch refuses, and having them indexed again. */
export function Aside() {
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    listRejected,
    { pageSize: 20, pageToken: "" },
    { pageParamKey: "pageToken", getNextPageParam: (page) => page.nextPageToken || undefined, refetchInterval: 30_000 },
  );
  const queries = useQueryClient();
  const retry = useMutation(retryRejected, {
    onSettled: () =>
      queries.invalidateQueries({ queryKey: createConnectQueryKey({ schema: listRejected, cardinality: "infinite" }) }),
  });
  const entries = data?.pages.flatMap((page) => page.entries) ?? [];
  const total = data?.pages[0]?.total ?? 0n;
  return (
    <Section
      id="aside"
      title="Kept aside"
      lead="Entries of the record that Elasticsearch refuses for what is in them. No search finds them, and they hold up nothing."
      restricted="have entries indexed again"
      actions={
        entries.length > 0 && (
          <Button size="xs" variant="default" loading={retry.isPending} onClick={() => retry.mutate({ all: true })}>
            Retry all
          </Button>
        )
      }
    >
      {error && <Problem error={error} onRetry={refetch} />}
      {retry.error && <Problem title="Not all were sent again" error={retry.error} onRetry={retry.reset} />}
      <Text size="sm" role="status">
        {retry.data && retried(retry.data)}
      </Text>
      {!data && !error && <Skeleton h={40} />}
      {data && entries.length === 0 && <State tone="good">Nothing is kept aside</State>}
      {entries.length > 0 && (
        <Text size="sm" mb="xs">
          {total === 1n ? "1 entry is" : `${total} entries are`} kept aside. Mend what the reason says, such as by
          upgrading accesslog, then retry: what is still refused comes back here.
          {data?.pages[0]?.documentsWithheld && " Documents and Elasticsearch's words are for auditors."}
        </Text>
      )}
      <Stack gap="md">
        {entries.map((entry) => (
          <Entry
            key={entry.id}
            entry={entry}
            busy={retry.isPending}
            onRetry={() => retry.mutate({ ids: [entry.id] })}
          />
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

function Entry({ entry, busy, onRetry }: { entry: Rejected; busy: boolean; onRetry: () => void }) {
  const admin = useMay(Role.ADMIN);
  return (
    <article className={classes.entry} aria-label={`The ${entry.half} of record ${entry.recordId}`}>
      <div>
        <Text size="sm" fw={500}>
          The {entry.half} of record {entry.recordId}
        </Text>
        <Text size="sm" c="dimmed">
          {entry.reason}, kept aside {entry.since && <Time at={entry.since} />}
        </Text>
        {entry.detail && <Text size="sm">{entry.detail}</Text>}
        {entry.document && (
          <details>
            <summary>Document</summary>
            <Code block tabIndex={0} mah="16rem">
              {entry.document}
            </Code>
          </details>
        )}
      </div>
      {admin && (
        <Button
          size="xs"
          variant="default"
          disabled={busy}
          onClick={onRetry}
          aria-label={`Retry the ${entry.half} of record ${entry.recordId}`}
        >
          Retry
        </Button>
      )}
    </article>
  );
}

function retried({ retried, gone }: { retried: bigint; gone: bigint }): string {
  const sent = retried === 1n ? "1 entry is on its way" : `${retried} entries are on their way`;
  return `${sent} to Elasticsearch again.${gone > 0n ? ` ${gone} had been sent before.` : ""}`;
}
