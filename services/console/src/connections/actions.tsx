import { ActionIcon, Menu } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import { Link } from "react-router";
import type { Connection } from "../gen/sallyport/admin/v1/connection_service_pb";
import { useDisconnect, useForget } from "../parts/disconnect";
import { clientName, isOwn, type Person, personName } from "../parts/names";

type Props = { connection: Connection; person: Person; mayEnd: boolean; onEnded: () => void };

/** What one can do about a connection. */
export function Actions({ connection, person, mayEnd, onEnded }: Props) {
  const disconnect = useDisconnect(onEnded);
  const forget = useForget(onEnded);
  const [assistant, name] = [clientName(connection.client), personName(person)];
  const log = new URLSearchParams({ user: person.email || person.id });
  if (isOwn(connection.client)) log.set("administrative", "1");
  else log.set("client", connection.client?.key ?? "");
  return (
    <Menu position="bottom-end" withinPortal={false}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`Actions for ${assistant} of ${name}`}>
          <IconDots size={18} stroke={1.6} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component={Link} to={`/log?${log}`}>
          Show in the activity log
        </Menu.Item>
        {mayEnd && (
          <>
            <Menu.Item onClick={() => disconnect({ id: connection.id, person, client: connection.client })}>
              Disconnect {assistant}
            </Menu.Item>
            <Menu.Item onClick={() => forget(person)}>Disconnect and forget {name}</Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
