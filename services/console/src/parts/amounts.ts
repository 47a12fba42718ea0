const digits = new Intl.NumberFormat();
const share = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });
const tenths = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

/** A number with all of its digits: "1,234". */
export function number(n: bigint | number): string {
  return digits.format(n);
}

/** A number of things: "1 record", "1,234 records". */
export function count(n: bigint | number, noun: string, plural = `${noun}s`): string {
  return `${number(n)} ${Number(n) === 1 ? noun : plural}`;
}

/** A part of a whole, 0 to 1, in percent. */
export function percent(part: number): string {
  return share.format(part);
}

/** Bytes with as much precision as says something: "840 B", "1.2 kB", "12 kB". */
export function bytes(n: bigint | number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let [short, unit] = [Number(n), 0];
  for (; short >= 1000 && unit < units.length - 1; unit++) short /= 1000;
  return `${rounded(short)} ${units[unit]}`;
}

/** Milliseconds with as much precision as says something: "3.4 ms", "212 ms", "1.2 s", "2 min". */
export function span(ms: number): string {
  if (ms > 0 && ms < 1) return "under 1 ms";
  if (ms < 1000) return `${rounded(ms)} ms`;
  if (ms < 60_000) return `${rounded(ms / 1000)} s`;
  return ms < 3_600_000 ? `${rounded(ms / 60_000)} min` : `${rounded(ms / 3_600_000)} h`;
}

function rounded(n: number): string {
  return n < 10 ? tenths.format(n) : digits.format(Math.round(n));
}
