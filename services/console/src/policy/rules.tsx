import { type Dispatch, useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Column } from "./cell";
import { type Action, type Draft, difference, newID, newRule, type Rule } from "./draft";
import type { Lint, Remark } from "./lint";
import { columns, type Edge, RuleRow } from "./rule";
import type { Act } from "./rulemenu";
import classes from "./rules.module.css";
import { ruleText, titles } from "./words";

const none: readonly Remark[] = [];

type Props = {
  draft: Draft;
  dispatch: Dispatch<Action>;
  lint: Lint;
  /** The rule that the address names. */
  shown: string | null;
  /** The rule that was just added, which is edited at once. */
  fresh: string | null;
};

/** The rules in their order: edited in place, moved by mouse and keyboard. */
export function Rules({ draft, dispatch, lint, shown, fresh }: Props) {
  const { rules } = draft.now;
  const [editing, setEditing] = useState<{ id: string; column: Column } | null>(null);
  const [said, setSaid] = useState("");
  const marks = useMemo(() => difference(draft.base.document, draft.now), [draft.base.document, draft.now]);
  const focus = useFocus();

  // The rows are told functions that stay the same, so that only those are drawn again that change.
  const now = useRef(rules);
  now.current = rules;
  const onEdit = useCallback((id: string, column: Column | null) => {
    setEditing((is) => (column ? { id, column } : is?.id === id ? null : is));
  }, []);
  const onChange = useCallback((id: string, patch: Partial<Rule>) => dispatch({ do: "edit", id, patch }), [dispatch]);
  const move = useCallback(
    (id: string, to: number) => {
      dispatch({ do: "move", id, to });
      focus(id);
      setSaid(`The rule is now number ${to + 1} of ${now.current.length}.`);
    },
    [dispatch, focus],
  );
  const add = useCallback(
    (rule: Rule, at: number) => {
      dispatch({ do: "add", rule, at });
      setEditing({ id: rule.id, column: "client" });
      setSaid(`A new rule is number ${at + 1}.`);
    },
    [dispatch],
  );
  const onAct = useCallback(
    (id: string, act: Act) => {
      const at = now.current.findIndex((rule) => rule.id === id);
      const rule = now.current[at];
      if (!rule) return;
      const last = now.current.length - 1;
      const places = { up: Math.max(at - 1, 0), down: Math.min(at + 1, last), top: 0, bottom: last };
      switch (act) {
        case "above":
          return add(newRule(), at);
        case "below":
          return add(newRule(), at + 1);
        case "verified":
          dispatch({ do: "edit", id, patch: { verified: !rule.verified } });
          return focus(id);
        case "duplicate": {
          const copy = { ...rule, id: newID() };
          dispatch({ do: "add", rule: copy, at: at + 1 });
          focus(copy.id, "menu");
          return setSaid(`Rule ${at + 1} is duplicated as rule ${at + 2}.`);
        }
        case "delete":
          dispatch({ do: "remove", id });
          focus(now.current[at + 1]?.id ?? now.current[at - 1]?.id, "menu");
          return setSaid(`Rule ${at + 1} is deleted: ${ruleText(rule)}. Undo brings it back.`);
        default:
          return move(id, places[act]);
      }
    },
    [dispatch, focus, add, move],
  );
  const onDrop = useCallback(
    (id: string, on: string, edge: Edge) => {
      const others = now.current.filter((rule) => rule.id !== id);
      const at = others.findIndex((rule) => rule.id === on);
      if (at >= 0) move(id, edge === "above" ? at : at + 1);
    },
    [move],
  );

  useEffect(() => {
    if (fresh) setEditing({ id: fresh, column: "client" });
  }, [fresh]);
  // What is said about the rules above moves it, once it is there.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above.
  useEffect(() => {
    if (shown) document.getElementById(`rule-${shown}`)?.scrollIntoView({ block: "center" });
  }, [shown, lint.checked]);

  return (
    <>
      <div role="status" className="unseen">
        {said}
      </div>
      {/* What the buttons of all rules are called, with the rule's number after it. */}
      <div hidden>
        {columns.map((column) => (
          <span key={column} id={`name-${column}`}>
            {titles[column]} of rule
          </span>
        ))}
        <span id="name-menu">Actions for rule</span>
      </div>
      <div className={classes.scope}>
        <table className={classes.rules}>
          <caption className="unseen">
            The rules in their order. Alt with an arrow key moves the rule that has the focus.
          </caption>
          <thead>
            <tr>
              <th scope="col" className={classes.number}>
                <span className="unseen">Number</span>
              </th>
              {columns.map((column) => (
                <th key={column} scope="col" className={classes[column]}>
                  {titles[column]}
                </th>
              ))}
              <td className={classes.menu} />
            </tr>
          </thead>
          {rules.map((rule, i) => (
            <RuleRow
              key={rule.id}
              rule={rule}
              number={i + 1}
              editing={editing?.id === rule.id ? editing.column : null}
              remarks={lint.remarks.get(rule.id) ?? none}
              mark={marks.added.has(rule.id) ? "added" : marks.changed.has(rule.id) ? "changed" : null}
              shown={shown === rule.id}
              onEdit={onEdit}
              onChange={onChange}
              onAct={onAct}
              onDrop={onDrop}
            />
          ))}
        </table>
      </div>
    </>
  );
}

/** Puts the focus into a rule when it is drawn: where it was, or at one of its fields. */
function useFocus() {
  const wanted = useRef<{ id: string; field: string } | null>(null);
  useEffect(() => {
    if (!wanted.current) return;
    const { id, field } = wanted.current;
    wanted.current = null;
    document.querySelector<HTMLElement>(`#rule-${CSS.escape(id)} [data-field="${field}"]`)?.focus();
  });
  return useCallback((id: string | undefined, field?: string) => {
    const here = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.field : undefined;
    if (id) wanted.current = { id, field: field ?? here ?? "menu" };
  }, []);
}
