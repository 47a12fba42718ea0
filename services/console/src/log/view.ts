import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { SearchActivityRequestSchema } from "../gen/sallyport/admin/v1/activity_service_pb";

/** The filters that are texts, as SearchActivityRequest and the address call them. */
const texts = [
  "query",
  "user",
  "client",
  "operation",
  "decision",
  "outcome",
  "rule",
  "group",
  "family",
  "product",
  "project",
  "session",
] as const;

export type Filter = (typeof texts)[number] | "since" | "until";

/** What the log shows, as the address says it. What isn't there doesn't narrow. */
export type View = Partial<Record<Filter, string>> & { administrative: boolean };

/** What both kinds of records can be searched by; all else is of calls alone. */
const ofActs: Filter[] = ["query", "user", "operation", "outcome", "since", "until"];

/** Reads a view from an address. What administrative acts don't have is left out for them. */
export function readView(params: URLSearchParams): View {
  const view: View = { administrative: params.get("administrative") === "1" };
  for (const filter of [...texts, "since", "until"] as const) {
    const value = params.get(filter)?.trim();
    if (value && (!view.administrative || ofActs.includes(filter))) view[filter] = value;
  }
  return view;
}

/** The filters of a view that are set, the box and times among them. */
export function filtersOf(view: View): Filter[] {
  return [...texts, "since" as const, "until" as const].filter((filter) => view[filter]);
}

/** An address's query with other filters. Which record is open isn't part of it. */
export function withFilters(params: URLSearchParams, change: Partial<Record<Filter, string>>): URLSearchParams {
  const next = new URLSearchParams(params);
  next.delete("record");
  for (const [filter, value] of Object.entries(change)) {
    if (value) next.set(filter, value);
    else next.delete(filter);
  }
  return next;
}

const units: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** The time that a text says: so long before now, as "15m", or RFC 3339. Undefined where it says none. */
export function timeOf(text: string | undefined, now: Date): Date | undefined {
  const ago = /^(\d{1,6})([smhdw])$/.exec(text ?? "");
  if (ago) return new Date(now.getTime() - Number(ago[1]) * (units[ago[2] ?? "s"] ?? 1) * 1000);
  const at = new Date(text ?? "");
  return Number.isNaN(at.getTime()) ? undefined : at;
}

/** The search of a view, as at a time. */
export function searchOf(view: View, now: Date): MessageInitShape<typeof SearchActivityRequestSchema> {
  const since = timeOf(view.since, now);
  const until = timeOf(view.until, now);
  return {
    ...Object.fromEntries(texts.map((filter) => [filter, view[filter] ?? ""])),
    administrative: view.administrative,
    since: since && timestampFromDate(since),
    until: until && timestampFromDate(until),
  };
}

/** Why what is recorded from now on can't be in a view, as a sentence; undefined where it can. */
export function notLive(view: View): string | undefined {
  if (view.until) return "What is recorded now is later than this view ends.";
  if (view.outcome === "in_flight" || view.outcome === "unknown") {
    return "Whether a call is still under way is known only by asking again, so this view can't be live.";
  }
  return undefined;
}

/** The command that does something with a view on the command line. */
export function commandOf(view: View, ...command: string[]): string {
  const flags = filtersOf(view).flatMap((filter) => [`--${filter}`, view[filter] ?? ""]);
  if (view.administrative) flags.push("--administrative");
  return ["sallyport", "log", ...command, ...flags].map(quoted).join(" ");
}

/** A word as a POSIX shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
