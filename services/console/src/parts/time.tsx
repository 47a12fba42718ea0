import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { Tooltip } from "@mantine/core";

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const sameDay = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const thisYear = new Intl.DateTimeFormat(undefined, {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
});
const otherYear = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** A time in the reader's zone, short; exactly, in words, when one hovers or focuses it. */
export function Time({ at }: { at: Timestamp | Date }) {
  const date = at instanceof Date ? at : timestampDate(at);
  return (
    <Tooltip label={`${exact.format(date)} (${date.toISOString()})`} events={{ hover: true, focus: true, touch: true }}>
      <time dateTime={date.toISOString()}>{formatOf(date).format(date)}</time>
    </Tooltip>
  );
}

/** What a short time needs, seen from now. */
function formatOf(date: Date): Intl.DateTimeFormat {
  const now = new Date();
  if (date.toDateString() === now.toDateString()) return sameDay;
  return date.getFullYear() === now.getFullYear() ? thisYear : otherYear;
}
