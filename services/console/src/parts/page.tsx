import { Group, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";

type Props = { title: string; lead?: ReactNode; actions?: ReactNode; children: ReactNode };

/** A page: its title, also of the browser's tab, what it is for in a sentence, and what one can do there. */
export function Page({ title, lead, actions, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Sallyport`;
  }, [title]);
  return (
    <>
      <Group justify="space-between" align="flex-start" mb="lg" gap="sm">
        <div>
          <Title order={1}>{title}</Title>
          {lead && (
            <Text c="dimmed" size="sm" mt={4} maw="44rem">
              {lead}
            </Text>
          )}
        </div>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </>
  );
}
