import { useQuery } from "@connectrpc/connect-query";
import { StatusService } from "../gen/sallyport/admin/v1/status_service_pb";

/** Asks how Sallyport is, every ten seconds, once for all sections. */
export function useStatus() {
  return useQuery(StatusService.method.getStatus, {}, { refetchInterval: 10_000 });
}
