import { ActionIcon, Menu } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import { Link } from "react-router";
import type { Connection } from "../gen/sallyport/admin/v1/connection_service_pb";
import { clientName, type Person, personName, useDisconnect, useForget } from "../parts/disconnect";

type Props = { connection: Connection; person: Person; mayEnd: boolean; onEnded: () => void };

/** What one can do about a connection. */
export function Actions({ connection, person, mayEnd, onEnded }: Props) {
  const disconnect = useDisconnect(onEnded);
  const forget = useForget(onEnded);
  const [assistant, name] = [clientName(connection.client), personName(person)];
  const calls = new URLSearchParams({ user: person.email || person.id, client: connection.client?.key ?? "" });
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`Actions for ${assistant} of ${name}`}>
          <IconDots size={18} stroke={1.6} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component={Link} to={`/log?${calls}`}>
          Show its calls
        </Menu.Item>
        {mayEnd && (
          <>
            <Menu.Item onClick={() => disconnect({ id: connection.id, person, client: connection.client })}>
              Disconnect {assistant}
            </Menu.Item>
            <Menu.Item color="red" onClick={() => forget(person)}>
              Disconnect and forget {name}
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
