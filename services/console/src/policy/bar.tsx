import { Button, Group, Text } from "@mantine/core";
import { count } from "../parts/amounts";
import classes from "./bar.module.css";
import { type Draft, difference } from "./draft";

type Props = { draft: Draft; overtaken: bigint | null; refused: number; onDiscard: () => void; onReview: () => void };

/** What is changed and not saved, at the bottom of the window. */
export function Bar({ draft, overtaken, refused, onDiscard, onReview }: Props) {
  return (
    <section className={classes.bar} aria-label="Unsaved changes">
      <div>
        <Text size="sm" fw={550} role="status">
          Not saved: {said(draft)}
        </Text>
        {overtaken !== null && (
          <Text size="xs" c="dimmed">
            Version {String(overtaken)} was saved by somebody else meanwhile. Review shows both.
          </Text>
        )}
        {refused > 0 && (
          <Text size="xs" c="dimmed">
            {count(refused, "field")} can't be saved as it is: see beside the rules.
          </Text>
        )}
      </div>
      <Group gap="xs" wrap="nowrap">
        <Button variant="default" onClick={onDiscard}>
          Discard
        </Button>
        <Button onClick={onReview}>Review and save</Button>
      </Group>
    </section>
  );
}

function said(draft: Draft): string {
  const is = difference(draft.base.document, draft.now);
  const parts = [
    is.default && "the default decision",
    is.added.size > 0 && `${count(is.added.size, "rule")} added`,
    is.changed.size > 0 && `${count(is.changed.size, "rule")} changed`,
    is.removed > 0 && `${count(is.removed, "rule")} removed`,
    is.reordered && "another order",
  ];
  return `${parts.filter(Boolean).join(", ")}.`;
}
