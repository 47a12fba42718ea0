import { useQuery } from "@connectrpc/connect-query";
import { useDebouncedValue } from "@mantine/hooks";
import { type Connection, ConnectionService } from "../gen/sallyport/admin/v1/connection_service_pb";

/** The connections of a person by whole e-mail address or account id, asked for when enabled. */
export function useNamed(user: string, enabled: boolean): Connection[] {
  const [name] = useDebouncedValue(user.trim(), 300);
  const { data } = useQuery(
    ConnectionService.method.listConnections,
    { user: name, pageSize: 1000 },
    { enabled: enabled && name !== "" },
  );
  return data && enabled && name === user.trim() ? data.connections : [];
}
