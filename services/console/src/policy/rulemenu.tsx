import { ActionIcon, Menu } from "@mantine/core";
import {
  IconArrowBarToDown,
  IconArrowBarToUp,
  IconArrowDown,
  IconArrowUp,
  IconCopy,
  IconDots,
  IconRosetteDiscountCheck,
  IconRowInsertBottom,
  IconRowInsertTop,
  IconTrash,
} from "@tabler/icons-react";
import { memo, useEffect, useRef, useState } from "react";
import type { Rule } from "./draft";
import classes from "./rules.module.css";

/** What can be done with a rule. */
export type Act = "up" | "down" | "top" | "bottom" | "above" | "below" | "verified" | "duplicate" | "delete";

type Props = { rule: Rule; onAct: (id: string, act: Act) => void };

/** The button that opens what can be done with a rule. */
export const RuleMenu = memo(function RuleMenu(props: Props) {
  const button = useRef<HTMLButtonElement>(null);
  // A thousand menus that nobody opens would make the page slow.
  const [wanted, setWanted] = useState(false);
  const [opened, setOpened] = useState(false);
  useEffect(() => {
    if (!wanted) return;
    button.current?.focus();
    setOpened(true);
  }, [wanted]);
  const target = (
    <ActionIcon
      ref={button}
      variant="subtle"
      color="gray"
      data-field="menu"
      aria-labelledby={`name-menu number-${props.rule.id}`}
      onClick={wanted ? undefined : () => setWanted(true)}
    >
      <IconDots size={17} stroke={1.7} aria-hidden />
    </ActionIcon>
  );
  if (!wanted) return target;
  return (
    <Menu opened={opened} onChange={setOpened} position="bottom-end" shadow="md" width={230}>
      <Menu.Target>{target}</Menu.Target>
      <Menu.Dropdown>
        <Items {...props} />
      </Menu.Dropdown>
    </Menu>
  );
});

function Items({ rule, onAct }: Props) {
  const act = (what: Act) => ({ onClick: () => onAct(rule.id, what) });
  const icon = { size: 16, stroke: 1.6, "aria-hidden": true };
  return (
    <>
      <Menu.Item leftSection={<IconArrowUp {...icon} />} rightSection="Alt ↑" {...act("up")}>
        Move up
      </Menu.Item>
      <Menu.Item leftSection={<IconArrowDown {...icon} />} rightSection="Alt ↓" {...act("down")}>
        Move down
      </Menu.Item>
      <Menu.Item leftSection={<IconArrowBarToUp {...icon} />} {...act("top")}>
        Move to the top
      </Menu.Item>
      <Menu.Item leftSection={<IconArrowBarToDown {...icon} />} {...act("bottom")}>
        Move to the end
      </Menu.Item>
      <Menu.Divider />
      <Menu.Item leftSection={<IconRowInsertTop {...icon} />} {...act("above")}>
        Add a rule above
      </Menu.Item>
      <Menu.Item leftSection={<IconRowInsertBottom {...icon} />} {...act("below")}>
        Add a rule below
      </Menu.Item>
      <Menu.Item leftSection={<IconCopy {...icon} />} {...act("duplicate")}>
        Duplicate
      </Menu.Item>
      <Menu.Divider />
      <Menu.Item leftSection={<IconRosetteDiscountCheck {...icon} />} {...act("verified")}>
        {rule.verified ? "Match unverified clients too" : "Only verified clients"}
      </Menu.Item>
      <Menu.Item className={classes.delete} leftSection={<IconTrash {...icon} />} {...act("delete")}>
        Delete
      </Menu.Item>
    </>
  );
}
