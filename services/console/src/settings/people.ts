import { useQuery } from "@connectrpc/connect-query";
import { useSession } from "../api/session";
import { ConnectionService } from "../gen/sallyport/admin/v1/connection_service_pb";

/** The people who are known: who is signed in here, and who has connected an assistant. By account id, with their e-mail address. */
export function usePeople(): Map<string, string> {
  const session = useSession();
  const { data } = useQuery(ConnectionService.method.listConnections, { pageSize: 1000 }, { staleTime: 60_000 });
  const people = new Map<string, string>();
  for (const { accountId, email, name } of data?.connections ?? []) people.set(accountId, email || name);
  if (session.accountId) people.set(session.accountId, session.name);
  return people;
}
