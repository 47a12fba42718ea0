import { useInfiniteQuery } from "@connectrpc/connect-query";
import { Button, CloseButton, Skeleton, Stack, Text, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useRef, useState } from "react";
import { useSearchParams } from "react-router";
import { useMay } from "../api/session";
import { Role } from "../gen/sallyport/admin/v1/access_pb";
import { type Connection, ConnectionService } from "../gen/sallyport/admin/v1/connection_service_pb";
import { Page } from "../parts/page";
import { Problem } from "../parts/problem";
import { Classes } from "./classes";
import { NoConnections, NotFound } from "./none";
import { useNamed } from "./person";
import { ConnectionTable } from "./table";

// How many are asked for at once, the most that the API gives, and how many are shown at once.
const pageSize = 1000;
const shownAtOnce = 100;

/** Who is connected with which assistant, and the end of it. */
export function ConnectionsPage() {
  const may = useMay(Role.ADMIN);
  const [user, setUser] = useUser();
  const search = useRef<HTMLInputElement>(null);
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    ConnectionService.method.listConnections,
    { pageSize, pageToken: "" },
    {
      pageParamKey: "pageToken",
      getNextPageParam: ({ nextPageToken }) => nextPageToken || undefined,
      refetchInterval: 20_000,
    },
  );
  const all = data?.pages.flatMap(({ connections }) => connections);
  // Where not all are loaded, those of a person who is named exactly are asked for as well.
  const named = useNamed(user, Boolean(hasNextPage));
  const found = all && matching(all, named, user);
  const [limit, setLimit] = useState(shownAtOnce);
  const more = found && (found.length > limit || (hasNextPage && !user));
  const showMore = () => {
    setLimit(limit + shownAtOnce);
    if (found && found.length <= limit + shownAtOnce && hasNextPage && !isFetchingNextPage) fetchNextPage();
  };
  return (
    <Page title="Connections" lead="A connection is one sign-in: this person lets this assistant act for them.">
      <Stack gap="md">
        <TextInput
          ref={search}
          type="search"
          aria-label="Search by person"
          placeholder="Name, e-mail address or account id"
          maw="24rem"
          value={user}
          onChange={({ currentTarget }) => setUser(currentTarget.value)}
          leftSection={<IconSearch size={16} stroke={1.6} aria-hidden />}
          rightSection={user && <CloseButton size="sm" aria-label="Show all" onClick={() => setUser("")} />}
        />
        {!may && (
          <Text size="sm" c="dimmed">
            You may look. Disconnecting people is for admins.
          </Text>
        )}
        {error && <Problem error={error} onRetry={refetch} />}
        <p className="unseen" role="status">
          {found && counted(found.length, user)}
        </p>
        {!found && !error && <Loading />}
        {found?.length === 0 && (user ? <NotFound user={user} onAll={() => setUser("")} /> : <NoConnections />)}
        {found && found.length > 0 && (
          <>
            <ConnectionTable connections={found.slice(0, limit)} mayEnd={may} onEnded={() => search.current?.focus()} />
            {more && (
              <Button variant="default" onClick={showMore} loading={isFetchingNextPage}>
                Show more
              </Button>
            )}
            <Classes />
          </>
        )}
      </Stack>
    </Page>
  );
}

/** Who is searched for, in the page's address. */
function useUser(): [string, (user: string) => void] {
  const [parameters, setParameters] = useSearchParams();
  const set = (user: string) => setParameters(user ? { user } : {}, { replace: true, preventScrollReset: true });
  return [parameters.get("user") ?? "", set];
}

function matching(all: Connection[], named: Connection[], user: string): Connection[] {
  const word = user.trim().toLowerCase();
  const having = all.filter(({ name, email, accountId }) =>
    [name, email, accountId].some((text) => text.toLowerCase().includes(word)),
  );
  const ids = new Set(having.map(({ id }) => id));
  return [...having, ...named.filter(({ id }) => !ids.has(id))];
}

function counted(count: number, user: string): string {
  const connections = count === 1 ? "1 connection" : `${count} connections`;
  return user ? `${connections} of “${user}”` : connections;
}

function Loading() {
  return (
    <Stack gap="xs" aria-busy="true">
      {["a", "b", "c", "d", "e"].map((row) => (
        <Skeleton key={row} h={52} />
      ))}
    </Stack>
  );
}
