import { useQuery } from "@connectrpc/connect-query";
import { ActionIcon, Button, Combobox, Group, Loader, Text, useCombobox } from "@mantine/core";
import { IconChevronDown, IconX } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { ActivityService, Facet } from "../gen/sallyport/admin/v1/activity_service_pb";
import { DirectoryService } from "../gen/sallyport/admin/v1/directory_service_pb";
import { type Field, valueLabel } from "./fields";
import classes from "./filters.module.css";
import { searchOf, type View } from "./view";

type Props = { field: Field; view: View; opened?: boolean; onChange: (value: string) => void };

/** One filter: a button that says what it is set to, the values that there are with how many records have each, and a cross. */
export function FilterButton({ field, view, opened, onChange }: Props) {
  const value = view[field.filter];
  const known = useName(field, value);
  const [typed, setTyped] = useState("");
  const combobox = useCombobox({
    defaultOpened: opened ?? false,
    onDropdownOpen: () => combobox.focusSearchInput(),
    onDropdownClose: () => {
      combobox.resetSelectedOption();
      setTyped("");
    },
  });
  const { options, loading } = useOptions(field, view, combobox.dropdownOpened);
  const wanted = typed.trim().toLowerCase();
  const shown = options.filter(({ value, label }) => `${value} ${label}`.toLowerCase().includes(wanted));
  const own = typed.trim() && field.typed && !options.some((option) => option.value === typed.trim());

  return (
    <Combobox
      store={combobox}
      width={280}
      position="bottom-start"
      withinPortal={false}
      onOptionSubmit={(chosen) => {
        onChange(chosen);
        combobox.closeDropdown();
        combobox.focusTarget();
      }}
    >
      <Button.Group>
        <Combobox.Target targetType="button">
          <Button
            size="xs"
            variant="default"
            className={classes.filter}
            data-set={value ? true : undefined}
            rightSection={value ? undefined : <IconChevronDown size={14} stroke={1.6} aria-hidden />}
            onClick={() => combobox.toggleDropdown()}
          >
            {value ? `${field.label}: ${known || valueLabel(field.filter, value)}` : field.label}
          </Button>
        </Combobox.Target>
        {value && (
          <ActionIcon
            variant="default"
            className={classes.cross}
            aria-label={`Remove the filter ${field.label}`}
            onClick={() => onChange("")}
          >
            <IconX size={14} stroke={1.6} aria-hidden />
          </ActionIcon>
        )}
      </Button.Group>
      <Combobox.Dropdown>
        {(field.typed || options.length > 8) && (
          <Combobox.Search
            value={typed}
            onChange={(event) => {
              setTyped(event.currentTarget.value);
              combobox.selectFirstOption();
            }}
            placeholder={field.typed ?? "Find"}
            aria-label={field.label}
          />
        )}
        <Combobox.Options mah={280} className={classes.options} aria-label={field.label}>
          {own && <Combobox.Option value={typed.trim()}>“{typed.trim()}”</Combobox.Option>}
          {shown.map((option) => (
            <Combobox.Option key={option.value} value={option.value} active={option.value === value}>
              <Group justify="space-between" wrap="nowrap" gap="sm">
                <Text span inherit truncate title={option.label}>
                  {option.label}
                </Text>
                {option.count !== undefined && (
                  <Text span size="xs" c="dimmed">
                    {option.count}
                  </Text>
                )}
              </Group>
            </Combobox.Option>
          ))}
          {loading && (
            <Combobox.Empty>
              <Loader size="xs" aria-label="Loading" />
            </Combobox.Empty>
          )}
          {!loading && !own && shown.length === 0 && (
            <Combobox.Empty>{field.typed ? "Type what to look for." : "No record has any."}</Combobox.Empty>
          )}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}

/** What people know an id by, as a record of it says; undefined where it is no id, or nothing is recorded of it. */
function useName({ filter }: Field, id = ""): string | undefined {
  const { data } = useQuery(
    ActivityService.method.searchActivity,
    { [filter]: id, pageSize: 1 },
    { enabled: id !== "" && ["user", "client", "rule"].includes(filter), staleTime: Number.POSITIVE_INFINITY },
  );
  const { user, client, decision } = data?.records[0] ?? {};
  if (filter === "user" && user?.id === id) return user.email || user.name;
  if (filter === "client" && client?.key === id) return client.name;
  if (filter === "rule" && decision?.ruleId === id) return decision.ruleNote || `number ${decision.ruleNumber}`;
  return undefined;
}

type Option = { value: string; label: string; count?: string };

/** The values to choose from: those that records of the view have, were it not for this filter, and those that are always there. */
function useOptions(field: Field, view: View, opened: boolean): { options: Option[]; loading: boolean } {
  // What "24h" means may stay as it was when the list was opened.
  // biome-ignore lint/correctness/useExhaustiveDependencies: opened settles the time.
  const search = useMemo(() => searchOf({ ...view, [field.filter]: undefined }, new Date()), [view, field, opened]);
  const counted = useQuery(
    ActivityService.method.searchActivity,
    { ...search, pageSize: 1, counts: [field.facet ?? Facet.UNSPECIFIED] },
    { enabled: opened && field.facet !== undefined },
  );
  const groups = useQuery(
    DirectoryService.method.listGroups,
    {},
    { enabled: opened && field.filter === "group", retry: false },
  );
  if (field.filter === "group") {
    const options = groups.data?.groups.map(({ name }) => ({ value: name, label: name })) ?? [];
    return { options, loading: groups.isLoading };
  }
  const facet = counted.data?.counts[0];
  const options: Option[] = (facet?.counts ?? []).map(({ value, label, count }) => ({
    value: field.filter === "user" && label.includes("@") ? label : value,
    label: label || valueLabel(field.filter, value),
    count: `${count.toLocaleString()}${facet?.atLeast ? "+" : ""}`,
  }));
  if (field.filter === "rule" && facet && facet.without > 0n) {
    options.push({ value: "default", label: "No rule: the default", count: facet.without.toLocaleString() });
  }
  for (const known of field.values ?? []) {
    if (options.some((option) => option.value === known.value)) continue;
    options.push(facet ? { ...known, count: "0" } : known);
  }
  return { options, loading: counted.isLoading };
}
