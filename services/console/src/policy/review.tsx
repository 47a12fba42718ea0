import { ConnectError } from "@connectrpc/connect";
import { useMutation, useQuery } from "@connectrpc/connect-query";
import { Alert, Button, Group, Modal, Skeleton, Stack, Text, Textarea, Title } from "@mantine/core";
import { useState } from "react";
import { violations } from "../api/refusal";
import { roleName, useMay, useSession } from "../api/session";
import { Role } from "../gen/sallyport/admin/v1/access_pb";
import {
  type PolicyConflict,
  PolicyConflictSchema,
  PolicyService,
  type SavePolicyResponse,
} from "../gen/sallyport/admin/v1/policy_service_pb";
import type { Policy } from "../gen/sallyport/policy/v1/policy_pb";
import { Problem } from "../parts/problem";
import { Changes } from "./changes";
import { Conflict } from "./conflict";
import { Effects } from "./effects";

const longest = 1000;

type Props = {
  title: string;
  policy: Policy;
  /** The version that it started from. */
  base: bigint;
  /** Why, where there is something to propose. */
  message?: string;
  action: string;
  /** Whether it is an older version that is to be in force again. */
  rollback?: boolean;
  onClose: () => void;
  onSaved: (answer: SavePolicyResponse) => void;
  onTheirs: (conflict: PolicyConflict) => void;
  onMine: (conflict: PolicyConflict) => void;
};

/** What a policy changes and would have changed, before it is put in force. */
export function Review(props: Props) {
  return (
    <Modal opened onClose={props.onClose} title={props.title} size="xl">
      <Content {...props} />
    </Modal>
  );
}

function Content({ policy, base, message: proposed = "", action, rollback = false, onClose, onSaved, ...to }: Props) {
  const admin = useMay(Role.ADMIN);
  const { role } = useSession();
  const [message, setMessage] = useState(proposed);
  const request = { policy, baseVersion: base };
  const check = useQuery(
    PolicyService.method.savePolicy,
    { ...request, validateOnly: true },
    { staleTime: 0, gcTime: 0, retry: false, refetchOnWindowFocus: false },
  );
  const save = useMutation(PolicyService.method.savePolicy, { onSuccess: onSaved });
  const error = save.error ?? check.error;

  const [conflict] = error ? ConnectError.from(error).findDetails(PolicyConflictSchema) : [];
  if (conflict) {
    return (
      <Conflict
        conflict={conflict}
        rollback={rollback}
        onTheirs={() => to.onTheirs(conflict)}
        onMine={() => {
          save.reset();
          to.onMine(conflict);
        }}
      />
    );
  }
  if (check.error) {
    return (
      <Problem
        error={check.error}
        title="This can't be put in force"
        onRetry={violations(check.error).length ? undefined : check.refetch}
      />
    );
  }
  return (
    <Stack gap="lg">
      <section aria-label="The difference">
        <Title order={3} size="h5" mb={4}>
          The difference
        </Title>
        {check.data ? <Changes changes={check.data.changes} /> : <Skeleton h={48} />}
      </section>
      <section aria-label="In the last 7 days">
        <Title order={3} size="h5" mb={4}>
          In the last 7 days
        </Title>
        <Effects policy={policy} />
      </section>
      <Textarea
        label="Why"
        description="For the history. Who and when are kept by themselves."
        autosize
        minRows={2}
        maxRows={6}
        maxLength={longest}
        value={message}
        onChange={(event) => setMessage(event.currentTarget.value)}
        disabled={!admin}
      />
      {!admin && (
        <Alert color="gray" variant="light">
          Only admins put a policy in force, and you are {roleName(role)}. Tell one what you found out; an admin gives
          roles under Settings.
        </Alert>
      )}
      {save.error && <Problem error={save.error} title="It wasn't saved" />}
      <Group justify="space-between">
        <Text size="xs" c="dimmed">
          Once it is saved, no call is decided by an older version.
        </Text>
        <Group gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            disabled={!admin || !check.data || check.data.changes.length === 0}
            loading={save.isPending}
            onClick={() => save.mutate({ ...request, message })}
          >
            {action}
          </Button>
        </Group>
      </Group>
    </Stack>
  );
}
