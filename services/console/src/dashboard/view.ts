import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Timestamp, timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import dayjs from "dayjs";
import { DashboardRange, type GetDashboardRequestSchema } from "../gen/sallyport/admin/v1/dashboard_service_pb";

/** The ranges, as the address calls them. */
export const ranges = [
  { value: "today", label: "Today" },
  { value: "7d", label: "7 days" },
  { value: "30d", label: "30 days" },
  { value: "custom", label: "Custom" },
] as const;

export type Range = (typeof ranges)[number]["value"];

/** What the dashboard shows, as its address says it. Start and end are days, "2026-11-28", of the reader's zone. */
export type View = { range: Range; start?: string; end?: string; user: string; client: string };

/** The reader's time zone, by its IANA name. */
export const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

const named = {
  today: DashboardRange.TODAY,
  "7d": DashboardRange.LAST_7_DAYS,
  "30d": DashboardRange.LAST_30_DAYS,
  custom: DashboardRange.UNSPECIFIED,
};

/** Reads an address. What isn't a range there is the last 7 days. */
export function readView(params: URLSearchParams): View {
  const range = ranges.find(({ value }) => value === params.get("range"))?.value ?? "7d";
  const day = (name: string) => {
    const text = params.get(name) ?? "";
    return /^\d{4}-\d{2}-\d{2}$/.test(text) && dayjs(text).isValid() ? text : undefined;
  };
  return {
    range,
    start: day("start"),
    end: day("end"),
    user: params.get("user") ?? "",
    client: params.get("client") ?? "",
  };
}

/** The address of a view. Days belong to a range of one's own alone. */
export function paramsOf({ range, start = "", end = "", user, client }: View): Record<string, string> {
  const days = range === "custom" ? { start, end } : {};
  return Object.fromEntries(Object.entries({ range, ...days, user, client }).filter(([, value]) => value !== ""));
}

/** Says whether a view ends now, so that its numbers grow. */
export function endsNow({ range, end }: View): boolean {
  return range !== "custom" || !end || !dayjs(end).isBefore(dayjs(), "day");
}

/** What to ask for, and undefined where a range of one's own has no first day yet. */
export function requestOf(view: View): MessageInitShape<typeof GetDashboardRequestSchema> | undefined {
  const { range, start, end, user, client } = view;
  const common = { timeZone, user, client };
  if (range !== "custom") return { ...common, range: named[range] };
  if (!start) return undefined;
  const after = endsNow(view) ? undefined : dayjs(end).add(1, "day").toDate();
  return { ...common, start: timestampFromDate(dayjs(start).toDate()), end: after && timestampFromDate(after) };
}

/** The address of the log with the calls of a time, narrowed as the dashboard is and further. */
export function logOf(view: View, start?: Timestamp, end?: Timestamp): (filter?: Record<string, string>) => string {
  const common = {
    user: view.user,
    client: view.client,
    since: start ? timestampDate(start).toISOString() : "",
    until: end ? timestampDate(end).toISOString() : "",
  };
  return (filter) => {
    const set = Object.entries({ ...common, ...filter }).filter(([, value]) => value !== "");
    return `/log?${new URLSearchParams(set)}`;
  };
}
