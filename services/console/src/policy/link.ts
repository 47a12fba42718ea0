import { Effect, Mode } from "../gen/sallyport/policy/v1/policy_pb";
import { newRule, type Rule } from "./draft";

const words = ["add", "client", "who", "operation", "effect", "note", "mode"];

/** The rule that an address such as /policy?add=1&operation=deleteJiraIssue&effect=deny begins with. */
export function linkedRule(search: URLSearchParams): Rule | null {
  if (!search.has("add")) return null;
  return newRule({
    client: search.get("client") || "*",
    who: search.get("who") || "any",
    operation: search.get("operation") || "*",
    effect: search.get("effect") === "allow" ? Effect.ALLOW : Effect.DENY,
    mode: search.get("mode") === "monitor" ? Mode.MONITOR : Mode.ENFORCE,
    note: search.get("note") ?? "",
  });
}

/** The address without the rule that it began with. */
export function withoutRule(search: URLSearchParams): URLSearchParams {
  const rest = new URLSearchParams(search);
  for (const word of words) rest.delete(word);
  return rest;
}
