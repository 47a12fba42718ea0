import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { Group, Table, Text } from "@mantine/core";
import type { Connection } from "../gen/sallyport/admin/v1/connection_service_pb";
import { clientName, isOwn, personName } from "../parts/names";
import { Time } from "../parts/time";
import { Actions } from "./actions";
import { Sure } from "./sure";
import classes from "./table.module.css";

type Props = {
  connections: Connection[];
  /** Whether the reader may end them. */
  mayEnd: boolean;
  /** Takes the focus from a row that is gone. */
  onEnded: () => void;
};

/** Connections, those made last first. */
export function ConnectionTable({ connections, mayEnd, onEnded }: Props) {
  return (
    <Table verticalSpacing="sm" highlightOnHover className={classes.table}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Person</Table.Th>
          <Table.Th>Assistant</Table.Th>
          <Table.Th className={classes.wide}>Connected</Table.Th>
          <Table.Th className={classes.wide}>Last used</Table.Th>
          <Table.Th>
            <span className="unseen">Actions</span>
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {connections.map((connection) => (
          <Row key={connection.id} connection={connection} mayEnd={mayEnd} onEnded={onEnded} />
        ))}
      </Table.Tbody>
    </Table>
  );
}

function Row({ connection, mayEnd, onEnded }: { connection: Connection } & Omit<Props, "connections">) {
  const { client, since, lastUsed } = connection;
  const person = { id: connection.accountId, email: connection.email, name: connection.name };
  const name = personName(person);
  return (
    <Table.Tr>
      <Table.Td>
        <Text size="sm">{name}</Text>
        {person.email && person.email !== name && (
          <Text size="xs" c="dimmed">
            {person.email}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <Group gap="4px 10px">
          <Text size="sm">{clientName(client)}</Text>
          {client && <Sure client={client} />}
        </Group>
        {client?.mismatch && (
          <Text size="xs" c="dimmed" mt={4}>
            It calls itself {client.info}, which is another assistant than it registered as.
          </Text>
        )}
        <Text component="div" size="xs" c="dimmed" mt={4} className={classes.narrow}>
          Last used: <Used at={lastUsed} own={isOwn(client)} />
        </Text>
      </Table.Td>
      <Table.Td className={classes.wide}>{since && <Time at={since} />}</Table.Td>
      <Table.Td className={classes.wide}>
        <Used at={lastUsed} own={isOwn(client)} />
      </Table.Td>
      <Table.Td className={classes.actions}>
        <Actions connection={connection} person={person} mayEnd={mayEnd} onEnded={onEnded} />
      </Table.Td>
    </Table.Tr>
  );
}

function Used({ at, own }: { at: Timestamp | undefined; own: boolean }) {
  if (at) return <Time at={at} />;
  return (
    <Text span inherit c="dimmed">
      {own ? "Isn't kept" : "Not yet"}
    </Text>
  );
}
