import { useQuery } from "@connectrpc/connect-query";
import { SetupState, StatusService } from "../gen/sallyport/admin/v1/status_service_pb";

/** Asks how Sallyport is, every ten seconds, once for all sections. */
export function useStatus() {
  return useQuery(StatusService.method.getStatus, {}, { refetchInterval: 10_000 });
}

/** What the state of an item of the set-up is called. */
export const setupWords: Record<SetupState, { text: string; color: string }> = {
  [SetupState.UNSPECIFIED]: { text: "Unknown", color: "gray" },
  [SetupState.DONE]: { text: "Done", color: "teal" },
  [SetupState.ACTION_NEEDED]: { text: "Action needed", color: "orange" },
  [SetupState.UNKNOWN]: { text: "Unknown", color: "gray" },
};
