import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { Tooltip } from "@mantine/core";

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const sameDay = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const otherDay = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** A time in the reader's zone, short; exactly, in words, when one hovers or focuses it. */
export function Time({ at }: { at: Timestamp | Date }) {
  const date = at instanceof Date ? at : timestampDate(at);
  const today = date.toDateString() === new Date().toDateString();
  return (
    <Tooltip label={`${exact.format(date)} (${date.toISOString()})`} events={{ hover: true, focus: true, touch: true }}>
      <time dateTime={date.toISOString()}>{(today ? sameDay : otherDay).format(date)}</time>
    </Tooltip>
  );
}
