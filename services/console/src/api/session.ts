import { useQuery } from "@connectrpc/connect-query";
import { createContext, use } from "react";
import { Role } from "../gen/sallyport/admin/v1/access_pb";
import { type GetSessionResponse, SessionService } from "../gen/sallyport/admin/v1/session_service_pb";

/** Asks who is signed in, now and then again, so that a session that ended shows. */
export function useGetSession() {
  return useQuery(SessionService.method.getSession, {}, { refetchInterval: 60_000, refetchOnWindowFocus: "always" });
}

export const SessionContext = createContext<GetSessionResponse | null>(null);

/** Who is signed in. Only what is inside of the shell may ask. */
export function useSession(): GetSessionResponse {
  const session = use(SessionContext);
  if (!session) throw new Error("nobody is signed in");
  return session;
}

/** Says whether who is signed in may do what a role may. The service decides; this is for what to offer. */
export function useMay(role: Role): boolean {
  return useSession().role >= role;
}

const names: Record<Role, string> = {
  [Role.UNSPECIFIED]: "no role",
  [Role.VIEWER]: "viewer",
  [Role.AUDITOR]: "auditor",
  [Role.ADMIN]: "admin",
};

/** What a role is called. */
export function roleName(role: Role): string {
  return names[role];
}
