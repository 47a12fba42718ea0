import { useQuery } from "@connectrpc/connect-query";
import { Autocomplete, Button, Group, NativeSelect } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { sentence } from "../api/problem";
import { Role } from "../gen/sallyport/admin/v1/access_pb";
import { DirectoryService } from "../gen/sallyport/admin/v1/directory_service_pb";
import { type Binding, roleOf, roles, whoOf } from "./binding";
import { usePeople } from "./people";

/** Gives a group or a person a role: those that are known are offered, and others can be typed. */
export function AddRole({ onAdd }: { onAdd: (binding: Binding) => void }) {
  const [typed, type] = useState("");
  const [role, setRole] = useState(String(Role.VIEWER));
  const groups = useQuery(DirectoryService.method.listGroups, {}, { staleTime: 60_000 });
  const people = usePeople();
  const group = groups.data?.groups.find(({ name }) => name === typed.trim());
  const add = (event: FormEvent) => {
    event.preventDefault();
    if (!typed.trim()) return;
    const who = group ? `group:${group.id}` : whoOf(typed);
    onAdd({ role: roleOf(role), who, name: group?.name ?? "" });
    type("");
  };
  return (
    <form onSubmit={add}>
      <Group align="flex-end" gap="xs" mt="sm">
        <Autocomplete
          label="Group or person"
          description={groups.error ? `Groups can't be offered. ${sentence(groups.error)}` : undefined}
          placeholder="site-admins, or ana@acme.test"
          flex="1 1 14rem"
          maw="24rem"
          size="sm"
          limit={50}
          data={[
            { group: "Groups", items: distinct(groups.data?.groups.map(({ name }) => name)) },
            {
              group: "People",
              items: distinct([...people.values()]),
            },
          ].filter(({ items }) => items.length > 0)}
          value={typed}
          onChange={type}
        />
        <NativeSelect
          label="Role"
          size="sm"
          data={roles}
          value={role}
          onChange={(event) => setRole(event.currentTarget.value)}
        />
        <Button type="submit" variant="default" size="sm">
          Add
        </Button>
      </Group>
    </form>
  );
}

function distinct(names: string[] = []): string[] {
  return [...new Set(names.filter(Boolean))].sort();
}
