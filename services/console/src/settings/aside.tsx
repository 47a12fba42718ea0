import { createConnectQueryKey, useInfiniteQuery, useMutation } from "@connectrpc/connect-query";
import { Button, Group, Skeleton, Stack, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import {
  type AcknowledgeRejectedResponse,
  RejectedService,
  type RetryRejectedResponse,
} from "../gen/sallyport/admin/v1/rejected_service_pb";
import { StatusService } from "../gen/sallyport/admin/v1/status_service_pb";
import { Problem } from "../parts/problem";
import { Entry } from "./entry";
import { Section } from "./section";
import { State } from "./state";

const { listRejected, retryRejected, acknowledgeRejected } = RejectedService.method;

/** Entries of the record that Elasticsearch refuses: having them indexed again, and saying that they were seen. */
export function Aside() {
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    listRejected,
    { pageSize: 20, pageToken: "" },
    { pageParamKey: "pageToken", getNextPageParam: (page) => page.nextPageToken || undefined, refetchInterval: 5_000 },
  );
  const queries = useQueryClient();
  const relist = () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: createConnectQueryKey({ schema: listRejected, cardinality: "infinite" }) }),
      queries.invalidateQueries({
        queryKey: createConnectQueryKey({ schema: StatusService.method.getStatus, cardinality: "finite" }),
      }),
    ]);
  const [done, setDone] = useState("");
  const told = { onMutate: () => setDone(""), onSettled: relist };
  const acknowledge = useMutation(acknowledgeRejected, { ...told, onSuccess: (said) => setDone(acknowledged(said)) });
  const retry = useMutation(retryRejected, { ...told, onSuccess: (said) => setDone(retried(said)) });
  const entries = data?.pages.flatMap((page) => page.entries) ?? [];
  const total = data?.pages[0]?.total ?? 0n;
  const unseen = hasNextPage || entries.some(({ acknowledgedBy }) => !acknowledgedBy);
  return (
    <Section
      id="aside"
      title="Kept aside"
      lead="Entries of the record that Elasticsearch refuses for what is in them. No search finds them, and they hold up nothing."
      restricted="acknowledge entries or have them indexed again"
      actions={
        entries.length > 1 && (
          <Group gap="xs">
            {unseen && (
              <Button
                size="xs"
                variant="default"
                loading={acknowledge.isPending}
                onClick={() => acknowledge.mutate({ all: true })}
              >
                Acknowledge all
              </Button>
            )}
            <Button size="xs" variant="default" loading={retry.isPending} onClick={() => retry.mutate({ all: true })}>
              Retry all
            </Button>
          </Group>
        )
      }
    >
      {error && <Problem error={error} onRetry={refetch} />}
      {retry.error && <Problem title="Not all were sent again" error={retry.error} onRetry={retry.reset} />}
      {acknowledge.error && (
        <Problem title="Not all were acknowledged" error={acknowledge.error} onRetry={acknowledge.reset} />
      )}
      <Text size="sm" role="status">
        {done}
      </Text>
      {!data && !error && <Skeleton h={40} />}
      {data && entries.length === 0 && <State tone="good">Nothing is kept aside</State>}
      {entries.length > 0 && (
        <Text size="sm" mb="md" maw="44rem">
          {total === 1n ? "1 entry is" : `${total} entries are`} kept aside. Mend what the reason says, such as by
          upgrading accesslog, then retry: what is still refused comes back here. Acknowledge what will never be taken:
          it stays here, and Health is well again until something else is refused.
          {data?.pages[0]?.documentsWithheld && " Documents and Elasticsearch's words are for auditors."}
        </Text>
      )}
      <Stack gap="lg">
        {entries.map((entry) => (
          <Entry
            key={entry.id}
            entry={entry}
            onAcknowledge={(onSuccess) => acknowledge.mutate({ ids: [entry.id] }, { onSuccess })}
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

function retried({ retried, gone }: RetryRejectedResponse): string {
  const sent = retried === 1n ? "1 entry is on its way" : `${retried} entries are on their way`;
  return `${sent} to Elasticsearch again.${gone > 0n ? ` ${gone} had been sent before.` : ""}`;
}

function acknowledged({ acknowledged, gone }: AcknowledgeRejectedResponse): string {
  const seen = acknowledged === 1n ? "1 entry is acknowledged" : `${acknowledged} entries are acknowledged`;
  return `${seen}.${gone > 0n ? ` ${gone} had been sent again before.` : ""}`;
}
