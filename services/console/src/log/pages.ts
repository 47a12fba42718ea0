import type { MessageInitShape } from "@bufbuild/protobuf";
import { createInfiniteQueryOptions, useTransport } from "@connectrpc/connect-query";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Record as LogRecord } from "../gen/sallyport/activity/v1/record_pb";
import { ActivityService, type SearchActivityRequestSchema } from "../gen/sallyport/admin/v1/activity_service_pb";

/** How many records a page has, and how many pages are kept: those that are farther away are asked for again. */
const [pageSize, maxPages] = [100, 30];

/** The pages of a search around what is looked at. A search object that is another one begins anew. */
export function usePages(search: MessageInitShape<typeof SearchActivityRequestSchema>, turn: number) {
  const transport = useTransport();
  // Where each page that was ever asked for begins, and the one before it: tokens lead only forwards.
  // biome-ignore lint/correctness/useExhaustiveDependencies: tokens are of one search.
  const places = useMemo(() => new Map([["", { start: 0, before: undefined as string | undefined }]]), [search]);
  const options = createInfiniteQueryOptions(
    ActivityService.method.searchActivity,
    { ...search, pageSize, pageToken: "" },
    { transport, pageParamKey: "pageToken", getNextPageParam: (page) => page.nextPageToken || undefined },
  );
  const query = useInfiniteQuery({
    ...options,
    queryKey: [...options.queryKey, turn] as unknown as typeof options.queryKey,
    getPreviousPageParam: (_, __, token) => places.get(token as string)?.before,
    maxPages,
    placeholderData: keepPreviousData,
    // What is new comes by the tail, and pages that follow show what there was when the first was asked for.
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    gcTime: 0,
  });

  return useMemo(() => {
    const records: LogRecord[] = [];
    const tokens = (query.data?.pageParams ?? []) as string[];
    const start = places.get(tokens[0] ?? "")?.start ?? 0;
    for (const [i, page] of (query.data?.pages ?? []).entries()) {
      records.push(...page.records);
      if (page.nextPageToken && !query.isPlaceholderData) {
        places.set(page.nextPageToken, { start: start + records.length, before: tokens[i] });
      }
    }
    return { query, records, start, last: query.data?.pages.at(-1) };
  }, [query, places]);
}
