import { percent } from "../parts/amounts";

export type Way = "up" | "down" | "same";

/** How a number compares with the one before. Of a rate only both are told: a percentage of percent misleads. */
export function change(now: number, before: number, show: (n: number) => string): { way: Way; text: string } {
  if (show(now) === show(before)) return { way: "same", text: "as before" };
  const way = now > before ? "up" : "down";
  const part = Math.abs(now - before) / before;
  // Of many times as much, both numbers say more than a percentage.
  const by = before === 0 || part > 10 || show === percent ? "" : `${percent(part)} `;
  return { way, text: `${by}from ${show(before)}` };
}
