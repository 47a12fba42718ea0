import type { JsonObject } from "@bufbuild/protobuf";
import { useQuery } from "@connectrpc/connect-query";
import {
  Autocomplete,
  Button,
  Drawer,
  Group,
  JsonInput,
  SegmentedControl,
  Select,
  Skeleton,
  Stack,
} from "@mantine/core";
import { type FormEvent, useState } from "react";
import { TrialService } from "../gen/sallyport/admin/v1/trial_service_pb";
import { Effect, type Policy } from "../gen/sallyport/policy/v1/policy_pb";
import { Problem } from "../parts/problem";
import { Decision } from "./decision";
import { useClients, useOperations, usePeople } from "./offers";

type Props = { opened: boolean; onClose: () => void; draft: Policy; unsaved: boolean };

const noObject = 'Write a JSON object, such as {"issueIdOrKey": "OPS-1"}.';

const begun = { user: "", client: "claude", clientClass: "claimed", operation: "", written: "" };

/** Asks what would be decided about one call, and why. Nothing is sent to Atlassian. */
export function TryIt({ opened, onClose, draft, unsaved }: Props) {
  return (
    <Drawer opened={opened} onClose={onClose} position="right" size="lg" title="Try it">
      <Form draft={draft} unsaved={unsaved} />
    </Drawer>
  );
}

function Form({ draft, unsaved }: Pick<Props, "draft" | "unsaved">) {
  const people = usePeople();
  const clients = useClients();
  const operations = useOperations(Effect.DENY);
  const [call, setCall] = useState(begun);
  const [asked, setAsked] = useState<(typeof begun & { arguments?: JsonObject }) | null>(null);
  const [on, setOn] = useState("draft");
  const [refused, setRefused] = useState("");
  const source =
    unsaved && on === "draft" ? { case: "draft" as const, value: draft } : { case: "version" as const, value: 0n };
  const { written: _, ...request } = asked ?? begun;
  const answer = useQuery(
    TrialService.method.explainDecision,
    { ...request, policy: { source } },
    { enabled: asked !== null, staleTime: 0, retry: false },
  );

  const set = (patch: Partial<typeof begun>) => setCall({ ...call, ...patch });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const read = readArguments(call.written);
    setRefused(read === null ? noObject : "");
    if (read !== null) setAsked({ ...call, user: call.user.trim(), operation: call.operation.trim(), arguments: read });
  };
  const tools = operations.groups.find(({ title }) => title === "Tools")?.offers ?? [];
  return (
    <Stack gap="sm">
      <form onSubmit={submit}>
        <Stack gap="sm">
          {unsaved && (
            <SegmentedControl
              fullWidth
              aria-label="Which policy"
              value={on}
              onChange={setOn}
              data={[
                { value: "draft", label: "Your draft" },
                { value: "force", label: "In force" },
              ]}
            />
          )}
          <Autocomplete
            label="Person"
            description="An e-mail address or Atlassian account id."
            required
            data={people.groups.flatMap(({ offers }) => offers.map(({ label = "" }) => label))}
            value={call.user}
            onChange={(user) => set({ user })}
          />
          <Group grow align="flex-start" gap="sm">
            <Autocomplete
              label="AI client"
              required
              data={clients.groups
                .flatMap(({ offers }) => offers.map(({ value }) => value))
                .filter((key) => key !== "*")}
              value={call.client}
              onChange={(client) => set({ client, clientClass: clients.classes.get(client) ?? call.clientClass })}
            />
            <Select
              label="Its identity"
              allowDeselect={false}
              data={["verified", "claimed", "unknown"]}
              value={call.clientClass}
              onChange={(clientClass) => set({ clientClass: clientClass ?? "unknown" })}
            />
          </Group>
          <Autocomplete
            label="Operation"
            description="A tool, or a method such as resources/read."
            required
            limit={50}
            maxDropdownHeight={260}
            data={tools.map(({ value }) => value)}
            value={call.operation}
            onChange={(operation) => set({ operation })}
          />
          <JsonInput
            label="Arguments"
            description="Optional. Those of an execute tool name what it executes."
            autosize
            minRows={2}
            maxRows={8}
            error={refused}
            validationError={noObject}
            value={call.written}
            onChange={(written) => set({ written })}
          />
          <Button type="submit">Try it</Button>
        </Stack>
      </form>
      {answer.error && <Problem error={answer.error} onRetry={answer.refetch} />}
      {asked && answer.isLoading && <Skeleton h={160} />}
      <div aria-live="polite">{answer.data && !answer.error && <Decision answer={answer.data} />}</div>
    </Stack>
  );
}

/** The arguments as written: none where nothing is, null where it is no JSON object. */
function readArguments(text: string): JsonObject | undefined | null {
  if (text.trim() === "") return undefined;
  try {
    const read: unknown = JSON.parse(text);
    return read !== null && typeof read === "object" && !Array.isArray(read) ? (read as JsonObject) : null;
  } catch {
    return null;
  }
}
