import { createConnectQueryKey, useMutation, useQuery } from "@connectrpc/connect-query";
import { Button, Skeleton, Table, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { modals } from "@mantine/modals";
import { useQueryClient } from "@tanstack/react-query";
import { roleName, useMay } from "../api/session";
import { Role } from "../gen/sallyport/admin/v1/access_pb";
import { AccessService, type ApiToken } from "../gen/sallyport/admin/v1/access_service_pb";
import { Problem } from "../parts/problem";
import { Time } from "../parts/time";
import { Listing } from "./listing";
import { NewToken } from "./newtoken";
import { Section } from "./section";

const method = AccessService.method;

/** Tokens by which programs use the API. */
export function Tokens() {
  const { data, error, refetch } = useQuery(method.listTokens, {});
  const queries = useQueryClient();
  const [opened, { open, close }] = useDisclosure(false);
  const relist = () =>
    queries.invalidateQueries({
      queryKey: createConnectQueryKey({ schema: method.listTokens, cardinality: "finite" }),
    });
  const revoke = useMutation(method.revokeToken, {
    onSettled: relist,
    // The button that was pressed is gone.
    onSuccess: () => document.getElementById("tokens-title")?.focus(),
  });
  const tokens = data?.tokens ?? [];
  return (
    <Section
      id="tokens"
      title="API tokens"
      lead="By a token a program uses the API, with a role and an end. Sallyport keeps only a hash of it."
      restricted="create and revoke tokens"
      actions={
        <Button size="xs" variant="default" onClick={open}>
          Create a token
        </Button>
      }
    >
      {error && <Problem error={error} onRetry={refetch} />}
      {revoke.error && <Problem title="The token wasn't revoked" error={revoke.error} onRetry={revoke.reset} />}
      <Text className="unseen" role="status">
        {revoke.isSuccess && `${revoke.variables?.name} is revoked.`}
      </Text>
      {!data && !error && <Skeleton h={90} />}
      {data && tokens.length === 0 && (
        <Text size="sm">
          There are none. A script that reads the log, or a pipeline that applies the policy, needs one.
        </Text>
      )}
      {tokens.length > 0 && <List tokens={tokens} onRevoke={(name) => revoke.mutate({ name })} />}
      {opened && <NewToken onCreated={relist} onClose={close} />}
    </Section>
  );
}

function List({ tokens, onRevoke }: { tokens: ApiToken[]; onRevoke: (name: string) => void }) {
  const admin = useMay(Role.ADMIN);
  const confirm = (name: string) =>
    modals.openConfirmModal({
      title: `Revoke ${name}?`,
      children: <Text size="sm">Every request with it is refused from then on. It can't be taken back.</Text>,
      labels: { confirm: "Revoke", cancel: "Keep it" },
      confirmProps: { color: "red" },
      onConfirm: () => onRevoke(name),
    });
  return (
    <Listing label="Tokens" titles={["Name", "Role", "Created", "Last used", "End"]} act={admin && "Revoke"}>
      {tokens.map((token) => (
        <Table.Tr key={token.name} c={token.live ? undefined : "dimmed"}>
          <Table.Th scope="row" fw={500}>
            {token.name}
          </Table.Th>
          <Table.Td>{roleName(token.role)}</Table.Td>
          <Table.Td>
            {token.createdAt && <Time at={token.createdAt} />} by {token.createdBy}
          </Table.Td>
          <Table.Td>{token.lastUsedAt ? <Time at={token.lastUsedAt} /> : "never"}</Table.Td>
          <Table.Td>
            <End token={token} />
          </Table.Td>
          {admin && (
            <Table.Td ta="right">
              {token.live && (
                <Button
                  size="compact-xs"
                  variant="default"
                  aria-label={`Revoke ${token.name}`}
                  onClick={() => confirm(token.name)}
                >
                  Revoke
                </Button>
              )}
            </Table.Td>
          )}
        </Table.Tr>
      ))}
    </Listing>
  );
}

function End({ token }: { token: ApiToken }) {
  if (token.revokedAt) {
    return (
      <>
        revoked <Time at={token.revokedAt} /> by {token.revokedBy}
      </>
    );
  }
  return (
    <>
      {!token.live && "ended "}
      {token.expiresAt && <Time at={token.expiresAt} />}
    </>
  );
}
