import type { Act, Decision, Record as LogRecord, Outcome, User } from "../gen/sallyport/activity/v1/record_pb";

/** How good something is, which its colour and sign say beside its words. */
export type Tone = "good" | "bad" | "odd" | "quiet";

/** What was decided, in a few words, and by what. */
export function decisionWords(decision: Decision | undefined): { tone: Tone; text: string; by: string } {
  const allowed = decision?.effect === "allowed";
  const said = { tone: allowed ? ("good" as const) : ("bad" as const), text: allowed ? "Allowed" : "Blocked" };
  if (decision?.reason) return { ...said, by: refusalWords(decision.reason) };
  if (decision?.ungoverned) return { ...said, by: "no rule decides" };
  if (!decision?.ruleNumber) return { ...said, by: "by default" };
  return { ...said, by: `rule ${decision.ruleNumber}${decision.ruleNote ? `: ${decision.ruleNote}` : ""}` };
}

/** A code such as foreign_session as words. */
export function refusalWords(code: string): string {
  return code.replaceAll("_", " ");
}

const results: { [result: string]: { tone: Tone; text: string } } = {
  ok: { tone: "good", text: "OK" },
  tool_error: { tone: "odd", text: "Tool error" },
  http_error: { tone: "bad", text: "HTTP error" },
  in_flight: { tone: "quiet", text: "In flight" },
  unknown: { tone: "odd", text: "Unknown" },
  success: { tone: "good", text: "Done" },
  failure: { tone: "bad", text: "Refused" },
};

/** What a result is called. */
export function resultWords(result: string): { tone: Tone; text: string } {
  return results[result] ?? { tone: "quiet", text: result || "–" };
}

/** What became of a call: of a blocked one, that it went nowhere. */
export function outcomeWords(outcome: Outcome | undefined): { tone: Tone; text: string } {
  if (!outcome?.result) return { tone: "quiet", text: "Not sent" };
  const { tone, text } = resultWords(outcome.result);
  return { tone, text: outcome.statusCode ? `${text} ${outcome.statusCode}` : text };
}

/** What came of an act. */
export function actWords(act: Act): { tone: Tone; text: string } {
  const { tone, text } = resultWords(act.outcome || "unknown");
  return { tone, text: act.errorCode ? `${text}: ${act.errorCode}` : text };
}

/** Why it isn't known what became of a call (docs/record.md). */
export const unknownWords: { [reason: string]: string } = {
  cut_off: "The answer broke off before its result, by whomever. The call may have been done.",
  batch: "The answer is of a batch of several requests, and it can't be told which part is whose.",
  compressed: "The answer was compressed, so that it couldn't be read.",
  too_large: "A part of the answer was larger than 1 MiB, so that it couldn't be read.",
  no_answer: "What came wasn't an answer that can be read.",
};

/** By what an admin was known. */
export const callerWords: { [caller: string]: string } = {
  token_file: "token file",
  api_token: "API token",
  person: "person",
  service: "Sallyport",
};

/** A person by the best that is known. */
export function personName(user: User | undefined): string {
  return user?.name || user?.email || user?.id || "–";
}

/** An assistant by the best that is known. */
export function clientName(record: LogRecord): string {
  return record.client?.name || record.client?.key || "–";
}
