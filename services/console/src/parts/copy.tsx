import { ActionIcon, Code, CopyButton, Group, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";

/** Something to be copied, such as a URL, with the button that does. */
export function Copy({ value, what }: { value: string; what: string }) {
  return (
    <Group gap="xs" wrap="nowrap" align="center">
      <Code fz="sm" p="xs" flex={1} miw={0}>
        {value}
      </Code>
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? "Copied" : "Copy"}>
            <ActionIcon
              variant="default"
              size="lg"
              onClick={copy}
              aria-label={copied ? `${what} copied` : `Copy ${what}`}
            >
              {copied ? <IconCheck size={18} stroke={1.8} /> : <IconCopy size={18} stroke={1.6} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </Group>
  );
}
