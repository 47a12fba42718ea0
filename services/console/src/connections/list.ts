import { useInfiniteQuery, useQuery } from "@connectrpc/connect-query";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { type Connection, ConnectionService } from "../gen/sallyport/admin/v1/connection_service_pb";
import { isOwn } from "../parts/names";

// How many are asked for at once, the most that the API gives, and how many are shown at once.
const pageSize = 1000;
const shownAtOnce = 100;

/** The connections of assistants, or those by which admins signed in, of people whose names have a text in them. */
export function useConnections(user: string, administrative: boolean) {
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    ConnectionService.method.listConnections,
    { pageSize, pageToken: "" },
    {
      pageParamKey: "pageToken",
      getNextPageParam: ({ nextPageToken }) => nextPageToken || undefined,
      refetchInterval: 20_000,
    },
  );
  const [limit, setLimit] = useState(shownAtOnce);
  // Where not all are loaded, those of a person who is named exactly are asked for as well.
  const named = useNamed(user, hasNextPage);
  const loaded = data?.pages.flatMap(({ connections }) => connections);
  const found = loaded && matching(loaded, named, user).filter(({ client }) => isOwn(client) === administrative);
  const showMore = () => {
    setLimit(limit + shownAtOnce);
    if (found && found.length <= limit + shownAtOnce && hasNextPage && !isFetchingNextPage) fetchNextPage();
  };
  return {
    /** What is to be shown; undefined while nothing is known. */
    shown: found?.slice(0, limit),
    /** How many there are, as far as they are loaded. */
    count: found?.length ?? 0,
    more: found !== undefined && (found.length > limit || hasNextPage),
    showMore,
    loadingMore: isFetchingNextPage,
    error,
    refetch,
  };
}

function useNamed(user: string, enabled: boolean): Connection[] {
  const [name] = useDebouncedValue(user.trim(), 300);
  const { data } = useQuery(
    ConnectionService.method.listConnections,
    { user: name, pageSize },
    { enabled: enabled && name !== "" },
  );
  return data && enabled && name === user.trim() ? data.connections : [];
}

function matching(all: Connection[], named: Connection[], user: string): Connection[] {
  const text = user.trim().toLowerCase();
  const having = all.filter(({ name, email, accountId }) =>
    [name, email, accountId].some((known) => known.toLowerCase().includes(text)),
  );
  const ids = new Set(having.map(({ id }) => id));
  return [...having, ...named.filter(({ id }) => !ids.has(id))];
}
