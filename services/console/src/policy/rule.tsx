import { draggable, dropTargetForElements } from "@atlaskit/pragmatic-drag-and-drop/adapter/element-adapter";
import { combine } from "@atlaskit/pragmatic-drag-and-drop/utils/combine";
import { Anchor } from "@mantine/core";
import { IconAlertCircle, IconGripVertical } from "@tabler/icons-react";
import { memo, useEffect, useRef, useState } from "react";
import { Cell, type Column } from "./cell";
import type { Rule } from "./draft";
import type { Remark } from "./lint";
import { type Act, RuleMenu } from "./rulemenu";
import classes from "./rules.module.css";

/** The columns in their order. */
export const columns: Column[] = ["client", "who", "operation", "effect", "note", "mode"];

type Props = {
  rule: Rule;
  number: number;
  /** What of it is edited. */
  editing: Column | null;
  remarks: readonly Remark[];
  /** Whether it is new or another than in the policy in force. */
  mark: "added" | "changed" | null;
  /** Whether it is the one that the address names. */
  shown: boolean;
  onEdit: (id: string, column: Column | null) => void;
  onChange: (id: string, patch: Partial<Rule>) => void;
  onAct: (id: string, act: Act) => void;
  onDrop: (id: string, on: string, edge: Edge) => void;
};

export type Edge = "above" | "below";

/** A rule: a row of its own table body, with what is said about it in a row below. */
export const RuleRow = memo(function RuleRow(props: Props) {
  const { rule, number, editing, remarks, mark, shown, onEdit, onChange, onAct } = props;
  const { body, grip, edge } = useDragging(rule.id, props.onDrop);
  const hints = remarks.filter(({ refused, field }) => !refused || !columns.includes(field as Column));
  return (
    <tbody
      ref={body}
      id={`rule-${rule.id}`}
      className={classes.rule}
      data-edge={edge}
      data-shown={shown || undefined}
      data-monitor={rule.mode === 2 || undefined}
    >
      <tr
        onKeyDown={(event) => {
          const act =
            event.altKey && !editing && ({ ArrowUp: "up", ArrowDown: "down" } as const)[event.key as "ArrowUp"];
          if (!act) return;
          event.preventDefault();
          onAct(rule.id, act);
        }}
      >
        <th scope="row" ref={grip} className={classes.number} title="Drag to move">
          <IconGripVertical size={16} stroke={1.6} aria-hidden className={classes.grip} />
          <span id={`number-${rule.id}`}>{number}</span>
          {mark && (
            <span className={classes.mark} title={mark === "added" ? "New" : "Changed"}>
              <span className="unseen">{mark === "added" ? "new" : "changed"}</span>
            </span>
          )}
        </th>
        {columns.map((column) => (
          <Cell
            key={column}
            rule={rule}
            number={editing === column ? number : null}
            column={column}
            remarks={remarks}
            onEdit={onEdit}
            onChange={onChange}
          />
        ))}
        <td className={classes.menu}>
          <RuleMenu rule={rule} onAct={onAct} />
        </td>
      </tr>
      {hints.length > 0 && (
        <tr className={classes.hints}>
          <td />
          <td colSpan={columns.length + 1}>
            {hints.map((hint) => (
              <Hint key={hint.sentence} hint={hint} onTake={(value) => onChange(rule.id, { [hint.field]: value })} />
            ))}
          </td>
        </tr>
      )}
    </tbody>
  );
});

function Hint({ hint, onTake }: { hint: Remark; onTake: (value: string) => void }) {
  return (
    <div className={classes.hint}>
      <IconAlertCircle size={15} stroke={1.7} aria-hidden />
      <span>{hint.sentence}</span>
      {hint.field &&
        hint.near.map((value) => (
          <Anchor key={value} component="button" type="button" className={classes.take} onClick={() => onTake(value)}>
            Use {value}
          </Anchor>
        ))}
    </div>
  );
}

/** Makes a row something that can be dragged by its number, and that others can be dropped above and below. */
function useDragging(id: string, onDrop: Props["onDrop"]) {
  const body = useRef<HTMLTableSectionElement>(null);
  const grip = useRef<HTMLTableCellElement>(null);
  const [edge, setEdge] = useState<Edge>();
  useEffect(() => {
    if (!body.current || !grip.current) return;
    const element = body.current;
    const over = ({ self }: { self: { data: Record<string | symbol, unknown> } }) => setEdge(self.data.edge as Edge);
    return combine(
      draggable({ element, dragHandle: grip.current, getInitialData: () => ({ rule: id }) }),
      dropTargetForElements({
        element,
        canDrop: ({ source }) => typeof source.data.rule === "string" && source.data.rule !== id,
        getData: ({ input, element }) => {
          const { top, height } = element.getBoundingClientRect();
          return { edge: input.clientY < top + height / 2 ? "above" : "below" };
        },
        onDragEnter: over,
        onDrag: over,
        onDragLeave: () => setEdge(undefined),
        onDrop: ({ source, self }) => {
          setEdge(undefined);
          onDrop(source.data.rule as string, id, self.data.edge as Edge);
        },
      }),
    );
  }, [id, onDrop]);
  return { body, grip, edge };
}
