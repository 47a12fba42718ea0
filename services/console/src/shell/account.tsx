import { ActionIcon, Box, Group, Text, Tooltip, useMantineColorScheme } from "@mantine/core";
import { IconDeviceDesktop, IconLogout, IconMoon, IconSun } from "@tabler/icons-react";
import { roleName, useSession } from "../api/session";

/** Who is signed in, signing out, and light or dark. */
export function Account() {
  const session = useSession();
  return (
    <Box>
      <Text size="sm" fw={500} truncate>
        {session.displayName || session.name}
      </Text>
      <Text size="xs" c="dimmed" truncate title={session.name}>
        {session.displayName ? `${session.name} · ` : ""}
        {roleName(session.role)}
      </Text>
      <Group gap="xs" mt="xs">
        <form method="post" action="/signout">
          <Tooltip label="Sign out">
            <ActionIcon type="submit" variant="subtle" color="gray" aria-label="Sign out">
              <IconLogout size={18} stroke={1.6} />
            </ActionIcon>
          </Tooltip>
        </form>
        <ColorScheme />
      </Group>
    </Box>
  );
}

const schemes = {
  auto: { label: "As the system: choose light", next: "light", icon: IconDeviceDesktop },
  light: { label: "Light: choose dark", next: "dark", icon: IconSun },
  dark: { label: "Dark: choose as the system", next: "auto", icon: IconMoon },
} as const;

function ColorScheme() {
  // Without transitions there would be a style element, which the content security policy doesn't take.
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const { label, next, icon: Icon } = schemes[colorScheme];
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" aria-label={label} onClick={() => setColorScheme(next)}>
        <Icon size={18} stroke={1.6} />
      </ActionIcon>
    </Tooltip>
  );
}
