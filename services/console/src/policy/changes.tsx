import { Button, Text } from "@mantine/core";
import { useState } from "react";
import { type PolicyChange, PolicyChangeKind } from "../gen/sallyport/admin/v1/policy_service_pb";
import classes from "./changes.module.css";
import { type Field, ruleOf } from "./draft";
import { effectWord, fieldText, ruleText, titles } from "./words";

/** How many changes are shown before one asks for all. */
const most = 50;

/** What is different between two policies, a change a line. */
export function Changes({ changes }: { changes: readonly PolicyChange[] }) {
  const [all, setAll] = useState(false);
  if (changes.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        Nothing is different.
      </Text>
    );
  }
  const shown = all ? changes : changes.slice(0, most);
  return (
    <>
      <ul className={classes.changes}>
        {shown.map((change, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the list never changes its order.
          <li key={i} data-kind={PolicyChangeKind[change.kind]}>
            <Change change={change} />
          </li>
        ))}
      </ul>
      {changes.length > shown.length && (
        <Button variant="subtle" size="compact-sm" onClick={() => setAll(true)}>
          Show all {changes.length} changes
        </Button>
      )}
    </>
  );
}

function Change({ change }: { change: PolicyChange }) {
  const before = change.before && ruleOf(change.before);
  const after = change.after && ruleOf(change.after);
  switch (change.kind) {
    case PolicyChangeKind.DEFAULT:
      return (
        <>
          Where no rule matches: <Turned from={effectWord(change.defaultBefore)} to={effectWord(change.defaultAfter)} />
        </>
      );
    case PolicyChangeKind.ADDED:
      return (
        <>
          <b>Rule {change.numberAfter} is new:</b> {after && ruleText(after)}
        </>
      );
    case PolicyChangeKind.REMOVED:
      return (
        <>
          <b>Rule {change.numberBefore} is removed:</b> {before && ruleText(before)}
        </>
      );
    case PolicyChangeKind.MOVED:
      return (
        <>
          <b>
            Rule {change.numberAfter} was rule {change.numberBefore}:
          </b>{" "}
          {after && ruleText(after)}
        </>
      );
    default: {
      if (!before || !after) return null;
      const fields = (Object.keys(titles) as Field[]).filter((field) => before[field] !== after[field]);
      return (
        <>
          <b>Rule {change.numberAfter} is changed:</b> {ruleText(after)}
          {fields.map((field) => (
            <div key={field} className={classes.field}>
              {titles[field]}: <Turned from={fieldText(before, field)} to={fieldText(after, field)} />
            </div>
          ))}
        </>
      );
    }
  }
}

function Turned({ from, to }: { from: string; to: string }) {
  return (
    <>
      <del>{from}</del> <span className="unseen">is now</span>
      <span aria-hidden>→</span> <ins>{to}</ins>
    </>
  );
}
