import { createGrpcWebTransport } from "@connectrpc/connect-web";

/** The admin API, at the address that the console came from. The browser sends the session's cookie along. */
export const transport = createGrpcWebTransport({ baseUrl: window.location.origin });
