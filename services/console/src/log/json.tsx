import { Button, Code, CopyButton, Text } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import classes from "./facts.module.css";

// What stands in the place of what was cut before it was recorded (docs/record.md).
const note = /(\[[^[\]]*? (?:was|were) cut(?: out: [^[\]]*)?\])/;

/** A text as it was recorded. What was cut out of it is marked, and said. */
export function Recorded({ text, label }: { text: string; label: string }) {
  const parts = text.split(note).map((part, i) => ({ part, cut: i % 2 === 1, at: i }));
  return (
    <>
      <Code block className={classes.json} tabIndex={0} role="region" aria-label={label}>
        {parts.map(({ part, cut, at }) =>
          cut ? (
            <mark key={at} className={classes.cut}>
              {part}
            </mark>
          ) : (
            part
          ),
        )}
      </Code>
      {parts.length > 1 && (
        <Text size="xs" c="dimmed" mt={4}>
          What is marked was cut before it was recorded: values under keys that look secret, and texts after 32 KiB.
        </Text>
      )}
    </>
  );
}

/** A button that copies a text. */
export function CopyText({ value, what }: { value: string; what: string }) {
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <Button
          size="compact-xs"
          variant="subtle"
          color="gray"
          aria-label={copied ? `${what} copied` : `Copy ${what}`}
          leftSection={copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
          onClick={copy}
        >
          {copied ? "Copied" : "Copy"}
        </Button>
      )}
    </CopyButton>
  );
}

/** JSON with two blanks a level. What isn't JSON stays as it is. */
export function indented(json: unknown): string {
  try {
    return JSON.stringify(typeof json === "string" ? JSON.parse(json) : json, null, 2);
  } catch {
    return String(json);
  }
}
