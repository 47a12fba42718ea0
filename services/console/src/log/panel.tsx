import { useQuery } from "@connectrpc/connect-query";
import { Button, CloseButton, CopyButton, Drawer, Group, Skeleton, Stack, Tabs, Text } from "@mantine/core";
import { IconLink, IconPlus, IconUserX } from "@tabler/icons-react";
import { useState } from "react";
import { Link } from "react-router";
import { useMay } from "../api/session";
import type { Record as LogRecord } from "../gen/sallyport/activity/v1/record_pb";
import { Role } from "../gen/sallyport/admin/v1/access_pb";
import { ActivityService } from "../gen/sallyport/admin/v1/activity_service_pb";
import { useForget } from "../parts/disconnect";
import { Problem } from "../parts/problem";
import { Time } from "../parts/time";
import { Audit } from "./audit";
import { Details } from "./details";
import classes from "./panel.module.css";
import type { Records } from "./records";
import { Related } from "./related";
import { personName } from "./words";

type Props = {
  /** The record's id; undefined where none is open. */
  id: string | undefined;
  log: Records;
  linkTo: (id: string) => string;
  onClose: () => void;
};

/** One record beside the log. The log can be gone through meanwhile, so it isn't modal. */
export function Panel({ id, log, linkTo, onClose }: Props) {
  const [last, setLast] = useState(id);
  if (id && id !== last) setLast(id);
  const shown = id ?? last;

  function close() {
    onClose();
    document.getElementById("records")?.focus({ preventScroll: true });
  }
  return (
    <Drawer.Root
      opened={id !== undefined}
      onClose={close}
      position="right"
      size={520}
      withinPortal={false}
      trapFocus={false}
      lockScroll={false}
      closeOnClickOutside={false}
      transitionProps={{ duration: 120 }}
      classNames={{ inner: classes.around, content: classes.panel }}
    >
      <Drawer.Content
        aria-label="Record"
        // Mantine says that each drawer is modal.
        ref={(panel) => panel?.removeAttribute("aria-modal")}
      >
        {shown && <Opened id={shown} log={log} linkTo={linkTo} onClose={close} />}
      </Drawer.Content>
    </Drawer.Root>
  );
}

function Opened({ id, log, linkTo, onClose }: Props & { id: string }) {
  const listed = log.rows.find((record) => record.id === id);
  const { data, error, refetch } = useQuery(
    ActivityService.method.getRecord,
    { id },
    { refetchInterval: ({ state }) => (isOpen(state.data?.record) ? 2_000 : false) },
  );
  const record = data?.record ?? listed;
  return (
    <div className={classes.inside}>
      <div className={classes.top}>
        <div className={classes.heading}>
          <Text component="h2" fw={600} truncate>
            {record ? (record.act?.action ?? record.operation?.name) || "Request" : <Skeleton h={18} w={180} />}
          </Text>
          <Text size="sm" c="dimmed" component="div" truncate>
            {record ? (
              <>
                {personName(record.user)} · {record.time && <Time at={record.time} />}
              </>
            ) : (
              <Skeleton h={14} w={220} mt={6} />
            )}
          </Text>
        </div>
        <CloseButton aria-label="Close" onClick={onClose} />
      </div>
      {error && <Problem error={error} title="The record can't be shown" onRetry={refetch} />}
      {record && (
        <>
          <Actions record={record} />
          <Tabs defaultValue="details" keepMounted={false} mt="sm" classNames={{ tab: classes.tab }}>
            <Tabs.List>
              <Tabs.Tab value="details">Details</Tabs.Tab>
              {!record.act && <Tabs.Tab value="session">Same session</Tabs.Tab>}
              <Tabs.Tab value="audit">Atlassian audit JSON</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="details">
              <Details record={record} policy={data?.policy} />
            </Tabs.Panel>
            <Tabs.Panel value="session">
              <Related record={record} linkTo={linkTo} />
            </Tabs.Panel>
            <Tabs.Panel value="audit">
              <Audit id={record.id} />
            </Tabs.Panel>
          </Tabs>
        </>
      )}
      {!record && !error && (
        <Stack mt="lg" aria-busy="true">
          <Skeleton h={30} />
          <Skeleton h={120} />
          <Skeleton h={200} />
        </Stack>
      )}
    </div>
  );
}

function isOpen(record: LogRecord | undefined): boolean {
  return record?.outcome?.result === "in_flight";
}

/** What can be done about a record. */
function Actions({ record }: { record: LogRecord }) {
  const admin = useMay(Role.ADMIN);
  const forget = useForget();
  const { user, decision } = record;
  const decidable = decision && !decision.reason && !decision.ungoverned;
  return (
    <Group gap="xs">
      {admin && decidable && (
        <Button
          component={Link}
          to={ruleFrom(record)}
          size="xs"
          variant="default"
          leftSection={<IconPlus size={14} aria-hidden />}
        >
          Make a rule from this
        </Button>
      )}
      <CopyButton value={`${window.location.origin}/log?record=${encodeURIComponent(record.id)}`}>
        {({ copied, copy }) => (
          <Button size="xs" variant="default" leftSection={<IconLink size={14} aria-hidden />} onClick={copy}>
            {copied ? "Link copied" : "Copy link"}
          </Button>
        )}
      </CopyButton>
      {admin && user?.id && !record.act && (
        <Button
          size="xs"
          variant="default"
          className={classes.danger}
          leftSection={<IconUserX size={14} aria-hidden />}
          onClick={() => forget({ id: user.id, email: user.email, name: user.name })}
        >
          Disconnect
        </Button>
      )}
      {!admin && (
        <Text size="xs" c="dimmed">
          Admins can make a rule from this, and disconnect the person.
        </Text>
      )}
    </Group>
  );
}

/** The address of a new rule that does the opposite of what was decided. */
function ruleFrom({ user, client, operation, decision }: LogRecord): string {
  const rule = new URLSearchParams({
    add: "1",
    client: client?.key ?? "",
    who: `user:${user?.email || user?.id}`,
    operation: operation?.name ?? "",
    effect: decision?.effect === "blocked" ? "allow" : "deny",
  });
  return `/policy?${rule}`;
}
