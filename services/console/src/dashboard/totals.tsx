import { type Duration, durationMs } from "@bufbuild/protobuf/wkt";
import { Anchor, Text, VisuallyHidden } from "@mantine/core";
import { IconArrowDownRight, IconArrowUpRight } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "react-router";
import type { DashboardTotals } from "../gen/sallyport/admin/v1/dashboard_service_pb";
import { bytes, number, percent, span } from "../parts/amounts";
import { change } from "./change";
import classes from "./totals.module.css";

type Props = { totals: DashboardTotals; before: DashboardTotals; log: (filter?: Record<string, string>) => string };

/** The numbers of a range, each beside that of the range before, and a way to the calls that it counts. */
export function Totals({ totals: now, before, log }: Props) {
  const allowed = log({ decision: "allowed" });
  return (
    <div>
      <dl className={classes.totals}>
        <Total label="Calls" to={log()} now={Number(now.calls)} before={Number(before.calls)} show={number} />
        <Total label="Allowed" to={allowed} now={Number(now.allowed)} before={Number(before.allowed)} show={number} />
        <Total
          label="Blocked"
          to={log({ decision: "blocked" })}
          now={Number(now.blocked)}
          before={Number(before.blocked)}
          show={number}
        />
        <Total
          label="Block rate"
          to={log({ decision: "blocked" })}
          now={now.blockRate}
          before={before.calls ? before.blockRate : undefined}
          show={percent}
        />
        <Total
          label="Errors"
          to={log({ outcome: "error" })}
          now={errorsOf(now)}
          before={errorsOf(before)}
          show={number}
        />
        <Total label="People" to={log()} now={Number(now.people)} before={Number(before.people)} show={number} />
        <Total
          label="Latency p50"
          to={allowed}
          now={ms(now.duration?.p50)}
          before={ms(before.duration?.p50)}
          show={span}
          more={<Upstream at={ms(now.upstream?.p50)} />}
        />
        <Total
          label="Latency p95"
          to={allowed}
          now={ms(now.duration?.p95)}
          before={ms(before.duration?.p95)}
          show={span}
          more={<Upstream at={ms(now.upstream?.p95)} />}
        />
        <Total
          label="Sent"
          to={log()}
          now={Number(now.requestBytes)}
          before={Number(before.requestBytes)}
          show={bytes}
        />
        <Total
          label="Received"
          to={allowed}
          now={Number(now.responseBytes)}
          before={Number(before.responseBytes)}
          show={bytes}
        />
      </dl>
      <Text size="xs" c="dimmed" mt="md" maw="52rem">
        Half of the allowed calls took no longer than p50, and 95 of 100 no longer than p95, from the request's first
        byte to the answer's last. Atlassian's part is measured of the same calls by itself: the difference of the two
        isn't Sallyport's.
      </Text>
    </div>
  );
}

/** A duration in milliseconds, and undefined where none was measured. */
function ms(duration: Duration | undefined): number | undefined {
  return duration && durationMs(duration);
}

function errorsOf({ toolErrors, httpErrors }: DashboardTotals): number {
  return Number(toolErrors + httpErrors);
}

function Upstream({ at }: { at?: number }) {
  return at === undefined ? null : <>Atlassian {span(at)}</>;
}

type TotalProps = {
  label: string;
  /** The log with the calls that are counted. */
  to: string;
  now?: number;
  before?: number;
  show: (n: number) => string;
  more?: ReactNode;
};

/** One number. More blocks aren't worse and fewer calls not better, so that up and down have no colours. */
function Total({ label, to, now, before, show, more }: TotalProps) {
  return (
    <div>
      <Text component="dt" size="sm" c="dimmed">
        {label}
      </Text>
      <dd className={classes.number}>
        {now === undefined ? (
          <span>
            – <VisuallyHidden>not measured</VisuallyHidden>
          </span>
        ) : (
          <Anchor component={Link} to={to} inherit c="inherit" aria-label={`${label}: ${show(now)}, in the log`}>
            {show(now)}
          </Anchor>
        )}
      </dd>
      {more && (
        <Text component="dd" size="xs" c="dimmed" className={classes.change}>
          {more}
        </Text>
      )}
      <Text component="dd" size="xs" c="dimmed" className={classes.change}>
        {now !== undefined && before !== undefined && <Change now={now} before={before} show={show} />}
      </Text>
    </div>
  );
}

const arrows = { up: IconArrowUpRight, down: IconArrowDownRight, same: null };

function Change({ now, before, show }: { now: number; before: number; show: (n: number) => string }) {
  const { way, text } = change(now, before, show);
  const Arrow = arrows[way];
  return (
    <>
      {Arrow && <Arrow size={13} stroke={1.8} aria-hidden className={classes.arrow} />}
      {way !== "same" && <VisuallyHidden>{way} </VisuallyHidden>}
      {text}
    </>
  );
}
