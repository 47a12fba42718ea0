import { Group, Text } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconCircleX, IconHelpCircle } from "@tabler/icons-react";
import classes from "./state.module.css";

const signs = {
  good: IconCircleCheck,
  attention: IconAlertTriangle,
  bad: IconCircleX,
  unknown: IconHelpCircle,
};

/** How something is: a sign and a word. */
export function State({ tone, children }: { tone: keyof typeof signs; children: string }) {
  const Sign = signs[tone];
  return (
    <Group gap={6} wrap="nowrap" className={classes[tone]}>
      <Sign size={17} stroke={1.8} aria-hidden />
      <Text span size="sm" fw={500}>
        {children}
      </Text>
    </Group>
  );
}
