import { Button, Group, Stack } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { Problem } from "./problem";

type Props = {
  /** What the button that does it says. */
  label: string;
  /** Does it, and takes the dialog away. */
  onConfirm: () => Promise<unknown>;
  onCancel: () => void;
  children: ReactNode;
};

/** The inside of a dialog that asks before something is ended or deleted: what will happen, and the two ways out. */
export function Confirm({ label, onConfirm, onCancel, children }: Props) {
  const [doing, setDoing] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const confirm = async () => {
    setDoing(true);
    setError(null);
    try {
      await onConfirm();
    } catch (failure) {
      setError(failure);
    } finally {
      setDoing(false);
    }
  };
  return (
    <Stack gap="md">
      {children}
      {error !== null && <Problem error={error} />}
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onCancel} data-autofocus>
          Cancel
        </Button>
        <Button color="red.9" loading={doing} onClick={confirm}>
          {label}
        </Button>
      </Group>
    </Stack>
  );
}
