import { Button, Group, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";

type Props = { busy: boolean; onSave: (message: string) => void; onDiscard: () => void };

/** Saves a change of the roles, with why. */
export function SaveRoles({ busy, onSave, onDiscard }: Props) {
  const [message, setMessage] = useState("");
  const save = (event: FormEvent) => {
    event.preventDefault();
    onSave(message);
  };
  return (
    <form onSubmit={save}>
      <Group align="flex-end" gap="xs" mt="md">
        <TextInput
          label="Why, for the record"
          placeholder="They run the site"
          flex="1 1 14rem"
          maw="24rem"
          maxLength={1000}
          value={message}
          onChange={(event) => setMessage(event.currentTarget.value)}
        />
        <Button type="submit" loading={busy}>
          Save roles
        </Button>
        <Button variant="default" onClick={onDiscard}>
          Discard
        </Button>
      </Group>
    </form>
  );
}
