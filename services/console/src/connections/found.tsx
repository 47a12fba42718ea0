import { Button, Skeleton, Stack, Text } from "@mantine/core";
import { useMay } from "../api/session";
import { Role } from "../gen/sallyport/admin/v1/access_pb";
import { Problem } from "../parts/problem";
import { Classes } from "./classes";
import { useConnections } from "./list";
import { NoConnections, NotFound } from "./none";
import { ConnectionTable } from "./table";

type Props = {
  /** Whose: a part of the name or e-mail address, or an account id; empty for everybody's. */
  user: string;
  /** Whether it is about sign-ins to Sallyport itself. */
  administrative: boolean;
  onAll: () => void;
  onEnded: () => void;
};

/** The connections that fit a search. */
export function Found({ user, administrative, onAll, onEnded }: Props) {
  const may = useMay(Role.ADMIN);
  const { shown, count, more, showMore, loadingMore, error, refetch } = useConnections(user, administrative);
  return (
    <Stack gap="md">
      {error && <Problem error={error} onRetry={refetch} />}
      {!may && (
        <Text size="sm" c="dimmed">
          You may look. Disconnecting people is for admins.
        </Text>
      )}
      <Text size="sm" c="dimmed" role="status">
        {shown && counted(count, user)}
      </Text>
      {!shown && !error && <Loading />}
      {shown?.length === 0 && (user ? <NotFound user={user} onAll={onAll} /> : !more && <NoConnections />)}
      {shown && shown.length > 0 && <ConnectionTable connections={shown} mayEnd={may} onEnded={onEnded} />}
      {more && (
        <Button variant="default" onClick={showMore} loading={loadingMore} style={{ alignSelf: "center" }}>
          Show more
        </Button>
      )}
      {shown && shown.length > 0 && !administrative && <Classes />}
    </Stack>
  );
}

function counted(count: number, user: string): string {
  const connections = count === 1 ? "1 connection" : `${count} connections`;
  return user ? `${connections} of “${user}”` : connections;
}

/** As large as what comes. */
function Loading() {
  return (
    <Stack gap="xs" aria-busy="true">
      {["heading", "first", "second", "third"].map((row) => (
        <Skeleton key={row} h={52} />
      ))}
    </Stack>
  );
}
