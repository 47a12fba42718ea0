import { useMutation, useQuery } from "@connectrpc/connect-query";
import { Anchor, List, Skeleton, Text } from "@mantine/core";
import { modals } from "@mantine/modals";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { useSession } from "../api/session";
import type { Client } from "../gen/sallyport/activity/v1/record_pb";
import { ConnectionService, Revocation } from "../gen/sallyport/admin/v1/connection_service_pb";
import { Confirm } from "./confirm";
import { clientName, type Person, personName } from "./names";

/**
 * Asks before a person is disconnected from all their assistants and forgotten, does it, and says what came of it.
 * An admin's act: offer it to those who may. onDone is called when it is done, such as to move the focus.
 */
export function useForget(onDone?: () => void): (person: Person) => void {
  const { accountId } = useSession();
  const forget = useMutation(ConnectionService.method.forgetPerson);
  const ended = useEnded();
  const blockByRule = useBlockByRule();
  return (person) => {
    const name = personName(person);
    const dialog = modals.open({
      title: `Disconnect and forget ${name}?`,
      children: (
        <Confirm
          label="Disconnect and forget"
          onCancel={() => modals.close(dialog)}
          onConfirm={async () => {
            const answer = await forget.mutateAsync({ user: person.id });
            modals.close(dialog);
            ended(`${name} is forgotten`, counted(answer.sessions), answer, onDone);
          }}
        >
          <Assistants person={person} />
          <List size="sm" spacing="xs">
            <List.Item>From the very next call on, each of their assistants is refused.</List.Item>
            <List.Item>
              Their Atlassian tokens are deleted here and revoked at Atlassian. Their groups and what they consented to
              are forgotten.
            </List.Item>
            <List.Item>The log of what they did stays. This act is recorded in it, in your name.</List.Item>
            {person.id === accountId && <List.Item>This is you: you are signed out of the console, too.</List.Item>}
          </List>
          <Text size="sm">
            They can sign in again. To keep them out,{" "}
            <Anchor
              component="button"
              type="button"
              inherit
              underline="always"
              onClick={() => blockByRule(dialog, person)}
            >
              block them by a rule
            </Anchor>
            .
          </Text>
        </Confirm>
      ),
    });
  };
}

/** Asks before one assistant of a person is disconnected, does it, and says what came of it. An admin's act. */
export function useDisconnect(
  onDone?: () => void,
): (connection: { id: string; person: Person; client: Client | undefined }) => void {
  const disconnect = useMutation(ConnectionService.method.disconnect);
  const ended = useEnded();
  const blockByRule = useBlockByRule();
  return ({ id, person, client }) => {
    const [assistant, name] = [clientName(client), personName(person)];
    const dialog = modals.open({
      title: `Disconnect ${assistant} from ${name}?`,
      children: (
        <Confirm
          label="Disconnect"
          onCancel={() => modals.close(dialog)}
          onConfirm={async () => {
            const answer = await disconnect.mutateAsync({ id });
            modals.close(dialog);
            ended(`${assistant} is disconnected from ${name}`, "Its next call is refused.", answer, onDone);
          }}
        >
          <List size="sm" spacing="xs">
            <List.Item>From the very next call on, {assistant} is refused for them by this connection.</List.Item>
            <List.Item>
              What they consented to for it is withdrawn. They are asked again before it is connected again.
            </List.Item>
            <List.Item>With their last connection their Atlassian tokens are revoked at Atlassian, too.</List.Item>
            <List.Item>This act is recorded in the log, in your name.</List.Item>
          </List>
          <Text size="sm">
            They can connect it again. To keep them from that,{" "}
            <Anchor
              component="button"
              type="button"
              inherit
              underline="always"
              onClick={() => blockByRule(dialog, person, client)}
            >
              block it by a rule
            </Anchor>
            .
          </Text>
        </Confirm>
      ),
    });
  };
}

/** Which connections end with a person. */
function Assistants({ person }: { person: Person }) {
  const { data, error } = useQuery(ConnectionService.method.listConnections, { user: person.id, pageSize: 1000 });
  if (error) return null; // what it is about is said without
  if (!data) return <Skeleton h={20} w="70%" />;
  const names = [...new Set(data.connections.map(({ client }) => clientName(client)))];
  if (names.length === 0) return <Text size="sm">They have no connection at the moment.</Text>;
  return (
    <Text size="sm">
      This ends {data.connections.length === 1 ? "their connection" : `their ${data.connections.length} connections`}:{" "}
      {names.join(", ")}.
    </Text>
  );
}

/** Has lists of connections read again, and says what came of an end. */
function useEnded() {
  const queries = useQueryClient();
  return (
    title: string,
    sentence: string,
    answer: { revocation: Revocation; revocationDetail: string },
    onDone?: () => void,
  ) => {
    // Who forgot themselves isn't signed in any more, which the next question tells.
    queries.invalidateQueries();
    onDone?.();
    const unconfirmed = answer.revocation === Revocation.UNCONFIRMED;
    notifications.show({
      title,
      message: `${sentence} ${revocationSentence(answer)}`.trim(),
      color: unconfirmed ? "orange" : "teal",
      autoClose: unconfirmed ? false : 8000,
    });
  };
}

function revocationSentence(answer: { revocation: Revocation; revocationDetail: string }): string {
  if (answer.revocation === Revocation.CONFIRMED) return "Atlassian has confirmed that their tokens are revoked.";
  return answer.revocationDetail;
}

function counted(sessions: number): string {
  return sessions === 1 ? "1 connection has ended." : `${sessions} connections have ended.`;
}

/** Leaves a dialog for a new rule about the person, and about the assistant if it is about one. */
function useBlockByRule() {
  const navigate = useNavigate();
  return (dialog: string, person: Person, client?: Client) => {
    modals.close(dialog);
    const rule = new URLSearchParams({ add: "1", effect: "deny", who: `user:${person.email || person.id}` });
    if (client?.key) rule.set("client", client.key);
    navigate(`/policy?${rule}`);
  };
}
