import { useMutation } from "@connectrpc/connect-query";
import { Alert, Button, Group, Modal, Select, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { Role } from "../gen/sallyport/admin/v1/access_pb";
import { AccessService } from "../gen/sallyport/admin/v1/access_service_pb";
import { Copy } from "../parts/copy";
import { Problem } from "../parts/problem";
import { Time } from "../parts/time";
import { roleOf, roles } from "./binding";

const lifetimes = [
  { value: "7", label: "7 days" },
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "366", label: "a year" },
];

/** Makes a token, and shows it this once. */
export function NewToken({ onCreated, onClose }: { onCreated: () => void; onClose: () => void }) {
  const create = useMutation(AccessService.method.createToken, { onSuccess: onCreated });
  return (
    <Modal
      opened
      onClose={onClose}
      title={create.data ? "The token" : "Create a token"}
      closeOnClickOutside={!create.data}
    >
      {create.data ? (
        <Stack gap="sm">
          <Alert variant="light" title="It is shown this once">
            Copy it now, and keep it where secrets are kept. Sallyport can't show it again.
          </Alert>
          <Copy value={create.data.token} what="the token" />
          <Text size="sm" c="dimmed">
            It works until {create.data.expiresAt && <Time at={create.data.expiresAt} />}.
          </Text>
          <Group justify="flex-end">
            <Button onClick={onClose}>Done</Button>
          </Group>
        </Stack>
      ) : (
        <Form
          busy={create.isPending}
          error={create.error}
          onClose={onClose}
          onCreate={(name, role, days) => create.mutate({ name, role, lifetime: { seconds: BigInt(days * 86_400) } })}
        />
      )}
    </Modal>
  );
}

type FormProps = {
  busy: boolean;
  error: unknown;
  onClose: () => void;
  onCreate: (name: string, role: Role, days: number) => void;
};

function Form({ busy, error, onClose, onCreate }: FormProps) {
  const [name, setName] = useState("");
  const [role, setRole] = useState(String(Role.VIEWER));
  const [days, setDays] = useState("90");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onCreate(name.trim(), roleOf(role), Number(days));
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <TextInput
          label="Name"
          description="What the token is for: history and records show it. Lower-case letters, digits, dots, dashes and underscores."
          placeholder="policy-pipeline"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          data-autofocus
          required
        />
        <Select
          label="Role"
          description="Viewers see no arguments of calls, auditors do, admins change everything."
          data={roles}
          value={role}
          onChange={(chosen) => setRole(chosen ?? role)}
          allowDeselect={false}
        />
        <Select
          label="It works for"
          data={lifetimes}
          value={days}
          onChange={(chosen) => setDays(chosen ?? days)}
          allowDeselect={false}
        />
        {error != null && <Problem error={error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={busy}>
            Create
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
