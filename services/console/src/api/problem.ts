import { Code, ConnectError } from "@connectrpc/connect";

/** Says in a sentence what went wrong with a request, and what to do. */
export function sentence(error: unknown): string {
  const problem = ConnectError.from(error);
  // The service's own words say what to do. Of what comes from between, Envoy or the browser, they don't.
  if (unreachable(problem)) {
    return "Sallyport doesn't answer. Check that it is running and that you are online, then try again.";
  }
  return problem.rawMessage || "Sallyport said no more than that it failed. Try again; its log has the reason.";
}

/** Says whether it is that nobody is signed in any more. */
export function signedOut(error: unknown): boolean {
  return error !== null && ConnectError.from(error).code === Code.Unauthenticated;
}

/** Says whether somebody else saved in the meantime. */
export function overtaken(error: unknown): boolean {
  return ConnectError.from(error).code === Code.Aborted;
}

function unreachable(problem: ConnectError): boolean {
  if (problem.cause instanceof TypeError) return true;
  return (
    problem.code === Code.Unavailable && /upstream|no healthy|connect error|^HTTP 50|reset/i.test(problem.rawMessage)
  );
}
