import { Button, Text } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { type Dispatch, useState } from "react";
import { useSearchParams } from "react-router";
import { sentence } from "../api/problem";
import { Empty } from "../parts/empty";
import { Bar } from "./bar";
import { type Action, type Draft, newRule, type Rule } from "./draft";
import { useLint } from "./lint";
import { Rules } from "./rules";
import { Toolbar } from "./toolbar";

type Props = {
  draft: Draft;
  dispatch: Dispatch<Action>;
  linked: Rule | null;
  unsaved: boolean;
  overtaken: bigint | null;
  onReview: () => void;
};

/** The rules as they are edited, with what lint says of them, and what isn't saved yet. */
export function RulesTab({ draft, dispatch, linked, unsaved, overtaken, onReview }: Props) {
  const [search] = useSearchParams();
  const lint = useLint(draft.now);
  const [fresh, setFresh] = useState<string | null>(null);
  const { rules } = draft.now;
  const add = (at: number) => {
    const rule = newRule();
    dispatch({ do: "add", rule, at });
    setFresh(rule.id);
  };
  const refused = [...lint.remarks.values()].flat().filter((remark) => remark.refused).length;
  return (
    <>
      <Toolbar draft={draft} dispatch={dispatch} onAdd={() => add(0)} />
      {rules.length === 0 ? (
        <Empty title="There are no rules">
          The default decides about every call. Add a rule for what should be decided otherwise, such as one that denies{" "}
          <code>delete*</code>: anything that deletes.
        </Empty>
      ) : (
        <Rules
          draft={draft}
          dispatch={dispatch}
          lint={lint}
          shown={search.get("rule") ?? linked?.id ?? null}
          fresh={fresh}
        />
      )}
      {rules.length > 0 && (
        <Button
          variant="subtle"
          size="compact-sm"
          mt="sm"
          leftSection={<IconPlus size={15} aria-hidden />}
          onClick={() => add(rules.length)}
        >
          Add rule at the end
        </Button>
      )}
      {lint.remarks.get("")?.map(({ sentence }) => (
        <Text key={sentence} size="sm" mt="md">
          This can't be saved: {sentence}.
        </Text>
      ))}
      {(lint.error || lint.unchecked.length > 0) && (
        <Text size="xs" c="dimmed" mt="md">
          {lint.error ? `The rules weren't checked: ${sentence(lint.error)}` : lint.unchecked.join(" ")}
        </Text>
      )}
      {unsaved && (
        <Bar
          draft={draft}
          overtaken={overtaken}
          refused={refused}
          onDiscard={() => dispatch({ do: "discard" })}
          onReview={onReview}
        />
      )}
    </>
  );
}
