import { Progress, Text, Title } from "@mantine/core";
import { Link } from "react-router";
import { number } from "../parts/amounts";
import classes from "./bars.module.css";

/** What was counted of one thing, and the log with those calls. */
export type Bar = { key: string; label: string; allowed: number; blocked: number; to: string };

type Props = {
  title: string;
  /** What the bars are of, in a sentence, where the title doesn't say. */
  lead?: string;
  /** What is said where there are none. */
  none: string;
  bars: Bar[];
  /** Whether calls were both allowed and blocked, so that each line says how many. */
  mixed?: boolean;
};

/** What was counted most, one bar each: allowed first, then blocked, which is striped. */
export function Bars({ title, lead, none, bars, mixed = false }: Props) {
  const most = Math.max(1, ...bars.map(({ allowed, blocked }) => allowed + blocked));
  return (
    <section>
      <Title order={2}>{title}</Title>
      <Text size="sm" c="dimmed" mb="xs">
        {bars.length > 0 ? lead : none}
      </Text>
      {bars.length > 0 && (
        <ol className={classes.bars}>
          {bars.map((bar) => (
            <li key={bar.key}>
              <Line {...bar} mixed={mixed} most={most} />
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function Line({ label, allowed, blocked, to, mixed, most }: Bar & { mixed: boolean; most: number }) {
  return (
    <Link to={to} className={classes.bar} title={label}>
      <span className={classes.label}>{label}</span>
      <span className={classes.number}>
        {mixed && blocked > 0 && (
          <span className={classes.blocked}>{allowed > 0 ? `${number(blocked)} blocked` : "all blocked"}</span>
        )}{" "}
        {number(allowed + blocked)}
      </span>
      <Progress.Root size={6} className={classes.track} aria-hidden>
        <Progress.Section withAria={false} value={(100 * allowed) / most} color="var(--allowed)" />
        <Progress.Section withAria={false} value={(100 * blocked) / most} color="var(--blocked)" striped />
      </Progress.Root>
    </Link>
  );
}
