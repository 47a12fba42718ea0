import { type Timestamp, timestampDate, timestampMs } from "@bufbuild/protobuf/wkt";
import type { DashboardBucket, GetDashboardResponse } from "../gen/sallyport/admin/v1/dashboard_service_pb";

const format = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(undefined, options);
const time = format({ hour: "2-digit", minute: "2-digit" });
const day = format({ day: "numeric", month: "short" });
const month = format({ month: "short", year: "numeric" });
const dayAndTime = format({ weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const wholeDay = format({ weekday: "short", day: "numeric", month: "short" });
const wholeDate = format({ day: "numeric", month: "short", year: "numeric" });

/** Which moments the axis of time names, in milliseconds, and how: as short as the range allows. */
export function axisOf({ start, end, interval, buckets }: GetDashboardResponse): {
  ticks: number[];
  name: (at: number) => string;
} {
  const all = buckets.map((bucket) => (bucket.start ? timestampMs(bucket.start) : 0));
  if (interval === "month" || interval === "quarter") return { ticks: all, name: (at) => month.format(at) };
  const days = start && end ? Number(end.seconds - start.seconds) / 86_400 : 0;
  if (days <= 1.1) return { ticks: all, name: (at) => time.format(at) };
  return { ticks: all.filter((at) => midnight(new Date(at))), name: (at) => day.format(at) };
}

function midnight(at: Date): boolean {
  return at.getHours() + at.getMinutes() === 0;
}

/** What a part of the range is called: from when to when. */
export function bucketOf({ interval }: GetDashboardResponse, { start, end }: DashboardBucket): string {
  if (!start || !end) return "";
  const from = timestampDate(start);
  // A day ends where the next begins, and is called by itself.
  const last = new Date(timestampDate(end).getTime() - 1);
  if (interval === "day") return wholeDay.format(from);
  if (["week", "month", "quarter"].includes(interval)) return wholeDate.formatRange(from, last);
  return dayAndTime.formatRange(from, timestampDate(end));
}

/** A range in words. */
export function rangeOf(start: Timestamp, end: Timestamp): string {
  const [from, to] = [timestampDate(start), timestampDate(end)];
  if (midnight(from) && midnight(to)) return wholeDate.formatRange(from, new Date(to.getTime() - 1));
  return format({ dateStyle: "medium", timeStyle: "short" }).formatRange(from, to);
}
