import { useState } from "react";
import type { EditProps } from "./cell";
import { useGroups, usePeople } from "./offers";
import { Picker } from "./picker";
import { meantWho } from "./words";

/** Picks who a rule is for: anybody, a group or a person. */
export function EditWho({ rule, number, onChange, onEnd, error }: EditProps) {
  const groups = useGroups();
  const people = usePeople();
  const [text, setText] = useState(rule.who === "any" ? "" : rule.who);
  const names = groups.groups.flatMap(({ offers }) => offers.map(({ label = "" }) => label));
  const take = (who: string) => onChange({ who: meantWho(who, names) });
  const missing = [...groups.missing, ...people.missing];
  return (
    <Picker
      label={`User group or person of rule ${number}`}
      text={text}
      onText={setText}
      narrow
      groups={[{ title: "Any", offers: [{ value: "any", label: "Anybody" }] }, ...groups.groups, ...people.groups]}
      placeholder="Anybody"
      error={error}
      onPick={(value) => {
        take(value);
        onEnd("enter");
      }}
      onDone={(how) => {
        take(text);
        onEnd(how);
      }}
      onCancel={() => onEnd("enter")}
      note={
        missing.length > 0
          ? missing.join(" ")
          : "Or type group: and a name or id, or user: and an e-mail address or account id."
      }
    />
  );
}
