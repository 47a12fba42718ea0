// biome-ignore-all lint/a11y/useSemanticElements: rows are placed, which those of a table element can't be.
// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus, and says which row is active.
import { durationMs } from "@bufbuild/protobuf/wkt";
import { Skeleton } from "@mantine/core";
import { memo, type ReactNode } from "react";
import { Link } from "react-router";
import type { Record as LogRecord } from "../gen/sallyport/activity/v1/record_pb";
import { bytes, span } from "../parts/amounts";
import { Time } from "../parts/time";
import { Sign } from "./sign";
import classes from "./table.module.css";
import { actWords, callerWords, clientName, decisionWords, outcomeWords, personName } from "./words";

/** The titles of the columns of calls, and of administrative acts. */
export const titles = {
  calls: ["Time", "User", "Source", "Operation", "Decision", "Result"],
  acts: ["Time", "User", "By", "Act", "On", "Result"],
};

/** The cells of a record. Its time is the link to it. They stay while one scrolls past them. */
export const Cells = memo(function Cells({ record, to }: { record: LogRecord; to: string }) {
  return (
    <>
      <Cell name="time">
        <Link className={classes.link} to={to} tabIndex={-1} draggable={false}>
          {record.time ? <Time at={record.time} /> : "–"}
        </Link>
      </Cell>
      <Cell name="user" below={record.user?.name ? record.user.email || record.user.id : undefined}>
        {personName(record.user)}
      </Cell>
      {record.act ? <ActCells record={record} /> : <CallCells record={record} />}
    </>
  );
});

function CallCells({ record }: { record: LogRecord }) {
  const decision = decisionWords(record.decision);
  const outcome = outcomeWords(record.outcome);
  const operation = record.operation;
  const about = operation?.outer ? `by ${operation.outer}` : [operation?.product, operation?.actions.join(", ")];
  return (
    <>
      <Cell
        name="source"
        below={[record.client?.class, record.client?.mismatch && "mismatch"].filter(Boolean).join(", ")}
      >
        {clientName(record)}
      </Cell>
      <Cell name="operation" below={[about].flat().filter(Boolean).join(" · ")}>
        {operation?.name || "–"}
      </Cell>
      <Cell name="decision" below={decision.by}>
        <Sign tone={decision.tone}>{decision.text}</Sign>
      </Cell>
      <Cell name="result" below={measures(record)}>
        <Sign tone={outcome.tone}>{outcome.text}</Sign>
      </Cell>
    </>
  );
}

/** The size of the answer, and how long it took. */
function measures({ outcome }: LogRecord): string {
  if (!outcome?.statusCode) return "";
  return [bytes(outcome.responseBytes), outcome.duration && span(durationMs(outcome.duration))]
    .filter(Boolean)
    .join(" · ");
}

function ActCells({ record }: { record: LogRecord }) {
  const act = record.act;
  if (!act) return null;
  const result = actWords(act);
  return (
    <>
      <Cell name="source" below={act.role}>
        {callerWords[act.caller] ?? act.caller}
      </Cell>
      <Cell name="operation" below={act.reason}>
        {act.action}
      </Cell>
      <Cell name="decision">{act.targets.join(", ") || "–"}</Cell>
      <Cell name="result" below={act.errorMessage}>
        <Sign tone={result.tone}>{result.text}</Sign>
      </Cell>
    </>
  );
}

/** What stands where a record is still to come. */
export function CellsToCome() {
  return titles.calls.map((title) => (
    <Cell key={title} name={title.toLowerCase()}>
      <Skeleton h={10} w="60%" radius="sm" my={5} />
    </Cell>
  ));
}

function Cell({ name, below, children }: { name: string; below?: string | undefined; children: ReactNode }) {
  return (
    <span role="gridcell" className={`${classes.cell} ${classes[name] ?? ""}`}>
      <span className={classes.first}>{children}</span>
      {below && (
        <span className={classes.second} title={below}>
          {below}
        </span>
      )}
    </span>
  );
}
