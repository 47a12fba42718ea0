import { useMutation } from "@connectrpc/connect-query";
import { Button, Code, Skeleton, Text } from "@mantine/core";
import { DirectoryService } from "../gen/sallyport/admin/v1/directory_service_pb";
import { SetupState } from "../gen/sallyport/admin/v1/status_service_pb";
import { Problem } from "../parts/problem";
import { Prose } from "../parts/prose";
import { Section } from "./section";
import { State } from "./state";
import { useStatus } from "./status";

/** The credential by which Sallyport learns people's groups, and asking for them now. */
export function Groups() {
  const { data, error, refetch } = useStatus();
  const refresh = useMutation(DirectoryService.method.refreshGroups);
  const item = data?.setup.find(({ name }) => name === "groups");
  const done = item?.state === SetupState.DONE;
  return (
    <Section
      id="groups"
      title="Groups credential"
      lead="An account at Jira that may browse users and groups. Without it people's groups are unknown: deny rules for groups match everybody, and allow rules nobody."
      restricted="have groups asked for"
      actions={
        done && (
          <Button size="xs" variant="default" loading={refresh.isPending} onClick={() => refresh.mutate({})}>
            Refresh groups now
          </Button>
        )
      }
    >
      {error && !data && <Problem error={error} onRetry={refetch} />}
      {refresh.error && <Problem title="Groups weren't refreshed" error={refresh.error} onRetry={refresh.reset} />}
      <Text size="sm" role="status">
        {refresh.data && refreshed(refresh.data)}
      </Text>
      {item ? (
        <>
          {done ? (
            <State tone="good">Jira answers with people's groups</State>
          ) : (
            <>
              <State tone={item.state === SetupState.ACTION_NEEDED ? "attention" : "unknown"}>
                {item.state === SetupState.ACTION_NEEDED ? "Action needed" : "Unknown"}
              </State>
              <Text size="sm" mt={4} maw="44rem">
                <Prose>{item.detail}</Prose>
              </Text>
            </>
          )}
          <Text size="sm" c="dimmed" mt="xs" maw="44rem">
            Set by <Code>--jira-url</Code>, <Code>--jira-user</Code> and <Code>--jira-token-file</Code> of identity with
            a classic API token, or by <Code>--jira-cloud-id</Code> and <Code>--jira-token-file</Code> with a scoped
            one.
          </Text>
        </>
      ) : (
        !error && <Skeleton h={70} />
      )}
    </Section>
  );
}

function refreshed({ refreshed, unknown }: { refreshed: number; unknown: number }): string {
  const people = (n: number) => (n === 1 ? "1 person" : `${n} people`);
  const learned =
    refreshed + unknown === 0
      ? "Nobody is signed in, so there was nothing to ask."
      : `Learned the groups of ${people(refreshed)}.`;
  return unknown > 0 ? `${learned} Those of ${people(unknown)} are unknown, since Jira didn't answer.` : learned;
}
