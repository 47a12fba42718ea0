import { useState } from "react";
import type { EditProps } from "./cell";
import { useClients } from "./offers";
import { Picker } from "./picker";

/** The value that isn't a client but turns a condition on and off. */
const verified = " verified";

/** Picks which assistants a rule is for, and whether only those whose identity is verified. */
export function EditClient({ rule, number, onChange, onEnd, error }: EditProps) {
  const { groups, missing } = useClients();
  const [text, setText] = useState(rule.client === "*" ? "" : rule.client);
  const identity = {
    title: "Identity",
    offers: [
      rule.verified
        ? { value: verified, label: "Don't ask for a verified identity" }
        : { value: verified, label: "Only if its identity is verified" },
    ],
  };
  const take = (client: string) => onChange({ client: client.trim() || "*" });
  return (
    <Picker
      label={`AI client of rule ${number}`}
      text={text}
      onText={setText}
      narrow
      groups={[...groups, identity]}
      placeholder="Any client"
      error={error}
      onPick={(value) => {
        if (value === verified) onChange({ verified: !rule.verified, client: text.trim() || "*" });
        else take(value);
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
          : "A name means all whose words begin so: claude is Claude and Claude Code. A star stands for any characters."
      }
    />
  );
}
