import { Group, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect, useRef } from "react";
import { useLocation } from "react-router";
import { roleName, useMay, useSession } from "../api/session";
import { Role } from "../gen/sallyport/admin/v1/access_pb";
import classes from "./section.module.css";

type Props = {
  /** Its anchor in the address. */
  id: string;
  title: string;
  lead: ReactNode;
  /** What only admins do here, as in "Only admins ...": told to everybody else. */
  restricted?: string;
  /** What an admin can do with the whole of it. */
  actions?: ReactNode;
  children: ReactNode;
};

/** A part of the settings, with an address of its own. */
export function Section({ id, title, lead, restricted, actions, children }: Props) {
  const { hash } = useLocation();
  const section = useRef<HTMLElement>(null);
  const session = useSession();
  const admin = useMay(Role.ADMIN);
  useEffect(() => {
    if (hash === `#${id}`) section.current?.scrollIntoView();
  }, [hash, id]);
  return (
    <section id={id} ref={section} className={classes.section} aria-labelledby={`${id}-title`}>
      <Group justify="space-between" align="flex-start" gap="sm" mb="md">
        <div className={classes.about}>
          <Title order={2} id={`${id}-title`} tabIndex={-1}>
            {title}
          </Title>
          <Text size="sm" c="dimmed" mt={2}>
            {lead}
          </Text>
          {restricted && !admin && (
            <Text size="sm" mt={4}>
              Only admins {restricted}, and you are {roleName(session.role)}.
            </Text>
          )}
        </div>
        {admin && actions}
      </Group>
      {children}
    </section>
  );
}
