import { ActionIcon, Button, Group, SegmentedControl, Text, Tooltip } from "@mantine/core";
import { IconArrowBackUp, IconArrowForwardUp, IconPlus } from "@tabler/icons-react";
import type { Dispatch } from "react";
import { Effect } from "../gen/sallyport/policy/v1/policy_pb";
import type { Action, Draft } from "./draft";
import classes from "./policy.module.css";

type Props = { draft: Draft; dispatch: Dispatch<Action>; onAdd: () => void };

/** The default decision, undo and redo, and adding a rule. */
export function Toolbar({ draft, dispatch, onAdd }: Props) {
  return (
    <div className={classes.toolbar}>
      <Group gap="sm">
        <Text size="sm" id="default-decision">
          Where no rule matches
        </Text>
        <SegmentedControl
          size="xs"
          aria-labelledby="default-decision"
          value={String(draft.now.defaultEffect)}
          onChange={(value) => dispatch({ do: "default", effect: Number(value) })}
          data={[
            { value: String(Effect.ALLOW), label: "Allow" },
            { value: String(Effect.DENY), label: "Deny" },
          ]}
        />
      </Group>
      <Group gap={4}>
        <Tooltip label="Undo (Ctrl Z)">
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            className={classes.step}
            aria-label="Undo"
            disabled={draft.past.length === 0}
            onClick={() => dispatch({ do: "undo" })}
          >
            <IconArrowBackUp size={18} stroke={1.6} aria-hidden />
          </ActionIcon>
        </Tooltip>
        <Tooltip label="Redo (Ctrl Shift Z)">
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            className={classes.step}
            aria-label="Redo"
            disabled={draft.future.length === 0}
            onClick={() => dispatch({ do: "redo" })}
          >
            <IconArrowForwardUp size={18} stroke={1.6} aria-hidden />
          </ActionIcon>
        </Tooltip>
        <Button variant="light" leftSection={<IconPlus size={16} aria-hidden />} ml="xs" onClick={onAdd}>
          Add rule
        </Button>
      </Group>
    </div>
  );
}
