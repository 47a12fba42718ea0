import { Code, ConnectError } from "@connectrpc/connect";
import { createConnectQueryKey } from "@connectrpc/connect-query";
import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { SessionService } from "../gen/sallyport/admin/v1/session_service_pb";
import { signedOut } from "./problem";

/** What pages ask for, kept for a moment, and asked again where Sallyport didn't answer. */
export const queries = new QueryClient({
  queryCache: new QueryCache({ onError: (error, query) => look(error, query.queryKey) }),
  mutationCache: new MutationCache({ onError: (error) => look(error) }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (failures, error) => failures < 2 && ConnectError.from(error).code === Code.Unavailable,
      retryDelay: (failures) => 500 * 2 ** failures,
    },
  },
});

const session = createConnectQueryKey({ schema: SessionService.method.getSession, cardinality: "finite" });

/** Looks whether an error means that the session has ended, and asks again who is signed in if so. */
export function look(error: unknown, asked?: readonly unknown[]) {
  const ofSession = asked !== undefined && JSON.stringify(asked).includes(SessionService.typeName);
  if (signedOut(error) && !ofSession) void queries.invalidateQueries({ queryKey: session });
}
