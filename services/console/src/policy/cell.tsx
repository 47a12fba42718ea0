import { Select, Text, TextInput } from "@mantine/core";
import { IconRosetteDiscountCheck, IconUser, IconUsersGroup } from "@tabler/icons-react";
import { memo, useEffect, useRef, useState } from "react";
import { Effect, Mode } from "../gen/sallyport/policy/v1/policy_pb";
import { EditClient } from "./client";
import type { Field, Rule } from "./draft";
import type { Remark } from "./lint";
import { EditOperation } from "./operation";
import classes from "./rules.module.css";
import { EditWho } from "./who";
import { effectWord, fieldText, modeWord, readWho, titles } from "./words";

/** How editing a field ends: by a key, so that the focus stays there, or by going elsewhere. */
export type End = "enter" | "leave";

export type EditProps = {
  rule: Rule;
  number: number;
  onChange: (patch: Partial<Rule>) => void;
  onEnd: (how: End) => void;
  error: boolean;
};

/** The fields that have a column; whether a client has to be verified is shown beside the client. */
export type Column = Exclude<Field, "verified">;

type Props = {
  rule: Rule;
  /** The rule's number where the field is edited. Otherwise it is named by what shows it, so that it needn't be drawn again. */
  number: number | null;
  column: Column;
  remarks: readonly Remark[];
  onEdit: (id: string, column: Column | null) => void;
  onChange: (id: string, patch: Partial<Rule>) => void;
};

/** A field of a rule: what it says, and when it is pressed what edits it, in the same place. */
export const Cell = memo(function Cell({ rule, number, column, remarks, onEdit, onChange }: Props) {
  const button = useRef<HTMLButtonElement>(null);
  const stay = useRef(false);
  const editing = number !== null;
  useEffect(() => {
    if (!editing && stay.current) {
      stay.current = false;
      button.current?.focus();
    }
  }, [editing]);

  const refused = remarks.filter((remark) => remark.refused && remark.field === column);
  const edit: EditProps = {
    rule,
    number: number ?? 0,
    onChange: (patch) => onChange(rule.id, patch),
    onEnd: (how) => {
      stay.current = how === "enter";
      onEdit(rule.id, null);
    },
    error: refused.length > 0,
  };
  return (
    <td className={classes[column]} data-title={column === "who" ? "Group or person" : titles[column]}>
      {editing ? (
        <Editor {...edit} column={column} />
      ) : (
        <button
          ref={button}
          type="button"
          className={classes.value}
          data-field={column}
          id={`${column}-${rule.id}`}
          aria-labelledby={`name-${column} number-${rule.id} ${column}-${rule.id}`}
          onClick={() => onEdit(rule.id, column)}
        >
          <Value rule={rule} column={column} />
        </button>
      )}
      {refused.map(({ sentence }) => (
        <Text key={sentence} size="xs" className={classes.refused}>
          {sentence}
        </Text>
      ))}
    </td>
  );
});

function Value({ rule, column }: { rule: Rule; column: Column }) {
  const text = fieldText(rule, column);
  switch (column) {
    case "client":
      return (
        <>
          {text}
          {rule.verified && (
            <>
              <span className="unseen">only if verified</span>
              <IconRosetteDiscountCheck size={15} stroke={1.6} aria-hidden className={classes.verified} />
            </>
          )}
        </>
      );
    case "who": {
      const Icon = { group: IconUsersGroup, user: IconUser, anybody: null, unclear: null }[readWho(rule.who).kind];
      return (
        <>
          {Icon && <Icon size={15} stroke={1.6} aria-hidden className={classes.kind} />}
          {text}
        </>
      );
    }
    case "effect":
      return <span data-effect={rule.effect === Effect.ALLOW ? "allow" : "deny"}>{text}</span>;
    case "mode":
      return <span data-mode={rule.mode === Mode.MONITOR ? "monitor" : "on"}>{text}</span>;
    case "note":
      return rule.note ? text : <span className={classes.none}>Add a note</span>;
    default:
      return text;
  }
}

function Editor({ column, ...edit }: EditProps & { column: Column }) {
  switch (column) {
    case "client":
      return <EditClient {...edit} />;
    case "who":
      return <EditWho {...edit} />;
    case "operation":
      return <EditOperation {...edit} />;
    case "effect":
      return <Choose {...edit} field="effect" options={[Effect.ALLOW, Effect.DENY]} word={effectWord} />;
    case "mode":
      return <Choose {...edit} field="mode" options={[Mode.ENFORCE, Mode.MONITOR]} word={modeWord} />;
    case "note":
      return <EditNote {...edit} />;
  }
}

type Choice<F extends "effect" | "mode"> = EditProps & {
  field: F;
  options: Rule[F][];
  word: (value: Rule[F]) => string;
};

function Choose<F extends "effect" | "mode">({ rule, number, field, options, word, onChange, onEnd }: Choice<F>) {
  return (
    <Select
      aria-label={`${titles[field]} of rule ${number}`}
      data={options.map((option) => ({ value: String(option), label: word(option) }))}
      value={String(rule[field])}
      allowDeselect={false}
      defaultDropdownOpened
      autoFocus
      comboboxProps={{ withinPortal: false, width: 140, position: "bottom-start", shadow: "md" }}
      onOptionSubmit={(value) => {
        onChange({ [field]: Number(value) });
        onEnd("enter");
      }}
      onKeyDown={(event) => event.key === "Escape" && onEnd("enter")}
      onBlur={() => onEnd("leave")}
    />
  );
}

function EditNote({ rule, number, onChange, onEnd }: EditProps) {
  const [note, setNote] = useState(rule.note);
  return (
    <TextInput
      aria-label={`Note of rule ${number}`}
      value={note}
      autoFocus
      placeholder="Why, shown to whom it blocks"
      onChange={(event) => setNote(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Enter") onChange({ note: note.trim() });
        if (event.key !== "Enter" && event.key !== "Escape") return;
        // The button that gets the focus must not be pressed by it.
        event.preventDefault();
        onEnd("enter");
      }}
      onBlur={() => {
        onChange({ note: note.trim() });
        onEnd("leave");
      }}
    />
  );
}
