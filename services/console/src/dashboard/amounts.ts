import { type Duration, durationMs } from "@bufbuild/protobuf/wkt";

const whole = new Intl.NumberFormat();
const rounded = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 });
const share = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });

/** A number of things, with all of its digits. */
export function count(n: number): string {
  return whole.format(n);
}

/** A part of a whole, 0 to 1, in percent. */
export function percent(part: number): string {
  return share.format(part);
}

/** Bytes, in the unit that keeps the number short. */
export function bytes(n: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = n < 1000 ? 0 : Math.min(Math.floor(Math.log10(n) / 3), units.length - 1);
  return `${rounded.format(n / 1000 ** power)} ${units[power]}`;
}

/** Milliseconds, in the unit that keeps the number short. */
export function milliseconds(ms: number): string {
  if (ms < 1000) return `${rounded.format(ms)} ms`;
  return ms < 60_000 ? `${rounded.format(ms / 1000)} s` : `${rounded.format(ms / 60_000)} min`;
}

/** A duration in milliseconds, and undefined where none was measured. */
export function ms(duration: Duration | undefined): number | undefined {
  return duration && durationMs(duration);
}

/** How a number compares with the one before. Of a rate only both are told: a percentage of percent misleads. */
export function change(now: number, before: number, show: (n: number) => string): { way: Way; text: string } {
  if (now === before) return { way: "same", text: "as before" };
  const way = now > before ? "up" : "down";
  const part = Math.abs(now - before) / before;
  // Of many times as much, both numbers say more than a percentage.
  const by = before === 0 || part > 10 || show === percent ? "" : `${share.format(part)} `;
  return { way, text: `${by}from ${show(before)}` };
}

export type Way = "up" | "down" | "same";
