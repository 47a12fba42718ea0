import { useQuery } from "@connectrpc/connect-query";
import { ActivityService } from "../gen/sallyport/admin/v1/activity_service_pb";
import { ConnectionService } from "../gen/sallyport/admin/v1/connection_service_pb";
import { isOwn } from "../parts/names";

// In milliseconds: often while the first is waited for, and now and then after.
const soon = 3_000;
const later = 15_000;

/** Waits for what assistants do: the newest connection of one, and the newest call. */
export function useArrivals() {
  const connections = useQuery(
    ConnectionService.method.listConnections,
    { pageSize: 200 },
    {
      select: ({ connections }) => connections.find(({ client }) => !isOwn(client)) ?? null,
      refetchInterval: ({ state }) => (state.data?.connections.some(({ client }) => !isOwn(client)) ? later : soon),
      refetchOnWindowFocus: "always",
    },
  );
  const calls = useQuery(
    ActivityService.method.searchActivity,
    { pageSize: 1 },
    {
      select: ({ records }) => records[0] ?? null,
      refetchInterval: ({ state }) => (state.data?.records.length ? later : soon),
      refetchOnWindowFocus: "always",
    },
  );
  return { connections, calls };
}
