import { Code, ConnectError } from "@connectrpc/connect";
import { QueryClient } from "@tanstack/react-query";

/** What pages ask for, kept for a moment, and asked again where Sallyport didn't answer. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (failures, error) => failures < 2 && ConnectError.from(error).code === Code.Unavailable,
      retryDelay: (failures) => 500 * 2 ** failures,
    },
  },
});
