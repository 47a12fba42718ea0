import { Pill } from "@mantine/core";
import { useState } from "react";
import type { EditProps } from "./cell";
import { Matches } from "./matches";
import { useOperations } from "./offers";
import { Picker } from "./picker";
import { patternOf, termsOf } from "./terms";

/** Picks the terms that an operation has to match, all of them, and shows the tools that do. */
export function EditOperation({ rule, number, onChange, onEnd, error }: EditProps) {
  const { groups, missing, products } = useOperations(rule.effect);
  const [terms, setTerms] = useState(() => termsOf(rule.operation, products));
  const [text, setText] = useState("");
  const typed = text.trim().split(/\s+/).filter(Boolean);
  const pattern = patternOf([...terms, ...typed], products);
  const take = (picked: string[]) => {
    setTerms(picked);
    setText("");
  };
  return (
    <Picker
      label={`Operation of rule ${number}`}
      text={text}
      onText={(value) => {
        // A blank ends a term.
        if (/\S\s$/.test(value)) take([...terms, ...value.trim().split(/\s+/)]);
        else setText(value);
      }}
      narrow={!text.includes("*")}
      groups={groups}
      placeholder={terms.length === 0 ? "Anything" : ""}
      error={error}
      pills={terms.map((term, i) => (
        <Pill
          // biome-ignore lint/suspicious/noArrayIndexKey: a term may be there twice.
          key={`${term} ${i}`}
          withRemoveButton
          removeButtonProps={{ "aria-label": `Remove ${term}`, "aria-hidden": false, tabIndex: -1 }}
          onRemove={() => take(terms.toSpliced(i, 1))}
        >
          {term}
        </Pill>
      ))}
      onPick={(value) => take([...terms, value])}
      onBackspace={() => take(terms.slice(0, -1))}
      onDone={(how) => {
        onChange({ operation: pattern });
        onEnd(how);
      }}
      onCancel={() => onEnd("enter")}
      note={
        <>
          <Matches pattern={pattern} effect={rule.effect} />
          {missing.map((sentence) => (
            <div key={sentence}>{sentence}</div>
          ))}
        </>
      }
    />
  );
}
