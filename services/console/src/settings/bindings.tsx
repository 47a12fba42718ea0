import { Badge, Button, NativeSelect, Table, Text } from "@mantine/core";
import { IconUser, IconUsersGroup } from "@tabler/icons-react";
import { roleName } from "../api/session";
import { type Binding, called, roleOf, roles } from "./binding";
import classes from "./bindings.module.css";
import { Listing } from "./listing";
import { usePeople } from "./people";
import { usePlace } from "./place";

type Props = {
  bindings: Binding[];
  /** What is saved, which others are told from. */
  base: Binding[];
  /** Absent where they may only be looked at. */
  onChange?: (bindings: Binding[]) => void;
};

/** Who has which role. */
export function Bindings({ bindings, base, onChange }: Props) {
  const people = usePeople();
  const { list, stay } = usePlace<HTMLTableSectionElement>(bindings.length);
  if (bindings.length === 0) {
    return <Text size="sm">Nobody has a role but whoever holds the token file of the service admin.</Text>;
  }
  const remove = (index: number) => {
    stay(index);
    onChange?.(bindings.filter((_, i) => i !== index));
  };
  return (
    <Listing label="Who has which role" titles={["Who", "Role"]} act={onChange && "Remove"} body={list}>
      {bindings.map((binding, i) => (
        <Table.Tr key={`${binding.who} ${binding.role}`}>
          <Table.Th scope="row" fw={400}>
            <Who
              name={called(binding, people)}
              binding={binding}
              saved={base.some(({ who, role }) => who === binding.who && role === binding.role)}
            />
          </Table.Th>
          <Table.Td>
            {onChange ? (
              <NativeSelect
                size="xs"
                w="6rem"
                aria-label={`Role of ${called(binding, people)}`}
                data={roles}
                value={String(binding.role)}
                onChange={(event) =>
                  onChange(bindings.with(i, { ...binding, role: roleOf(event.currentTarget.value) }))
                }
              />
            ) : (
              roleName(binding.role)
            )}
          </Table.Td>
          {onChange && (
            <Table.Td ta="right">
              <Button
                size="compact-xs"
                variant="default"
                aria-label={`Remove ${called(binding, people)}`}
                data-place
                onClick={() => remove(i)}
              >
                Remove
              </Button>
            </Table.Td>
          )}
        </Table.Tr>
      ))}
    </Listing>
  );
}

function Who({ binding, name, saved }: { binding: Binding; name: string; saved: boolean }) {
  const group = binding.who.startsWith("group:");
  const Icon = group ? IconUsersGroup : IconUser;
  return (
    <span className={classes.who} title={binding.who}>
      <Icon size={16} stroke={1.6} aria-label={group ? "Group" : "Person"} role="img" />
      <span>{name}</span>
      {!saved && (
        <Badge size="sm" variant="light" tt="none">
          not saved
        </Badge>
      )}
    </span>
  );
}
