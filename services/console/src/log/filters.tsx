import { Button, Menu, Text } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useMay } from "../api/session";
import { Role } from "../gen/sallyport/admin/v1/access_pb";
import { fieldsOf } from "./fields";
import { FilterButton } from "./filter";
import classes from "./filters.module.css";
import { SearchBox } from "./search";
import { Times } from "./times";
import { type Filter, filtersOf, type View } from "./view";

type Props = {
  view: View;
  /** Changes filters: what is undefined or empty is taken away. */
  onChange: (change: Partial<Record<Filter, string | undefined>>) => void;
  /** Changes the words of the box, which is typed letter by letter. */
  onSearch: (query: string) => void;
  onClear: () => void;
};

/** The search box, and the filters beneath. */
export function Filters({ view, onChange, onSearch, onClear }: Props) {
  const arguments_ = useMay(Role.AUDITOR);
  const [added, setAdded] = useState<Filter>();
  const all = fieldsOf(view);
  const shown = all.filter(({ first, filter }) => first || view[filter] || filter === added);
  const more = all.filter((field) => !shown.includes(field) && field.filter !== "session");
  const searched = view.administrative
    ? "Search names, targets, reasons"
    : `Search names, operations, rule notes${arguments_ ? ", arguments" : ""}`;
  return (
    <>
      <search className={classes.bar}>
        <SearchBox value={view.query ?? ""} placeholder={searched} onSearch={onSearch} />
      </search>
      <fieldset className={classes.bar} aria-label="Filters">
        <Times since={view.since} until={view.until} onChange={onChange} />
        {shown.map((field) => (
          <FilterButton
            key={field.filter}
            field={field}
            view={view}
            opened={field.filter === added}
            onChange={(value) => {
              setAdded(undefined);
              onChange({ [field.filter]: value });
            }}
          />
        ))}
        {more.length > 0 && (
          <Menu position="bottom-start" withinPortal={false} returnFocus={false}>
            <Menu.Target>
              <Button
                size="xs"
                variant="subtle"
                color="gray"
                className={classes.filter}
                leftSection={<IconPlus size={14} stroke={1.6} aria-hidden />}
              >
                More filters
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              {more.map(({ filter, label }) => {
                const refused = filter === "project" && !arguments_;
                return (
                  <Menu.Item key={filter} disabled={refused} onClick={() => setAdded(filter)}>
                    {label}
                    {refused && (
                      <Text size="xs" maw="14rem">
                        Projects are found in arguments, which viewers don't see.
                      </Text>
                    )}
                  </Menu.Item>
                );
              })}
            </Menu.Dropdown>
          </Menu>
        )}
        {filtersOf(view).length > 0 && (
          <Button size="xs" variant="subtle" color="gray" className={classes.filter} onClick={onClear}>
            Clear filters
          </Button>
        )}
      </fieldset>
    </>
  );
}
