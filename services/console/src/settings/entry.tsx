import { Button, Code, Group, Text } from "@mantine/core";
import { useRef } from "react";
import { useMay } from "../api/session";
import { Role } from "../gen/sallyport/admin/v1/access_pb";
import type { Rejected } from "../gen/sallyport/admin/v1/rejected_service_pb";
import { Time } from "../parts/time";
import classes from "./item.module.css";

type Props = { entry: Rejected; onAcknowledge: (done: () => void) => void; onRetry: () => void };

/** An entry that is kept aside: of which record, why and since when, who has seen it, and what can be done with it. */
export function Entry({ entry, onAcknowledge, onRetry }: Props) {
  const admin = useMay(Role.ADMIN);
  const again = useRef<HTMLButtonElement>(null);
  const what = `${entry.half === "rejected" ? "a part" : `the ${entry.half}`} of record ${entry.recordId}`;
  // The button that is pressed goes: what else can be done is beside it.
  const acknowledge = () => onAcknowledge(() => again.current?.focus());
  return (
    <article className={classes.item} aria-label={capital(what)}>
      <div>
        <Text size="sm" fw={500}>
          {capital(what)}
        </Text>
        <Text size="sm" c="dimmed">
          {entry.reason}, kept aside {entry.since && <Time at={entry.since} />}
        </Text>
        {entry.acknowledgedBy && (
          <Text size="sm" c="dimmed">
            Acknowledged by {entry.acknowledgedBy} {entry.acknowledgedAt && <Time at={entry.acknowledgedAt} />}
          </Text>
        )}
        {entry.detail && <Text size="sm">{entry.detail}</Text>}
        {entry.document && (
          <details>
            <summary>Document</summary>
            <Code block tabIndex={0} mah="16rem">
              {entry.document}
            </Code>
          </details>
        )}
      </div>
      {admin && (
        <Group gap="xs" wrap="nowrap">
          {!entry.acknowledgedBy && (
            <Button size="xs" variant="default" onClick={acknowledge} aria-label={`Acknowledge ${what}`}>
              Acknowledge
            </Button>
          )}
          <Button ref={again} size="xs" variant="default" onClick={onRetry} aria-label={`Retry ${what}`}>
            Retry
          </Button>
        </Group>
      )}
    </article>
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
