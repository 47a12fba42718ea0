import { Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

/** What stands where there is nothing yet: why, and what to do next. */
export function Empty({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Stack align="center" gap="xs" py="3rem" ta="center">
      <Title order={2}>{title}</Title>
      <Text component="div" c="dimmed" maw="32rem">
        {children}
      </Text>
    </Stack>
  );
}
