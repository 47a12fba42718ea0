import { Alert, Button, Group, List, Text } from "@mantine/core";
import { roleName } from "../api/session";
import type { GetRolesResponse } from "../gen/sallyport/admin/v1/access_service_pb";
import { Time } from "../parts/time";
import { called } from "./binding";
import { usePeople } from "./people";

type Props = { theirs: GetRolesResponse; onTheirs: () => void; onMine: () => void };

/** What somebody else saved while one's own change was made, and what to do now. */
export function Overtaken({ theirs, onTheirs, onMine }: Props) {
  const people = usePeople();
  return (
    <Alert role="alert" variant="light" mt="md" title="Somebody else saved roles meanwhile">
      <Text size="sm">
        {theirs.savedBy} saved version {theirs.version.toString()}, {theirs.savedAt && <Time at={theirs.savedAt} />}.
        Yours isn't saved. What holds now:
      </Text>
      <List size="sm" my="xs">
        {theirs.bindings.map((binding) => (
          <List.Item key={`${binding.who} ${binding.role}`}>
            {called(binding, people)}: {roleName(binding.role)}
          </List.Item>
        ))}
      </List>
      <Group gap="xs">
        <Button size="xs" onClick={onMine}>
          Make my change to theirs
        </Button>
        <Button size="xs" variant="default" onClick={onTheirs}>
          Drop my change
        </Button>
      </Group>
    </Alert>
  );
}
