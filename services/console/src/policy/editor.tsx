import { Button, Tabs, Text } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { IconTestPipe } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useSearchParams } from "react-router";
import type { GetPolicyResponse } from "../gen/sallyport/admin/v1/policy_service_pb";
import { Page } from "../parts/page";
import { policyOf } from "./draft";
import { History } from "./history";
import { InForce } from "./inforce";
import { Leaving } from "./leaving";
import { type Reviewed, Reviews } from "./reviews";
import { RulesTab } from "./rulestab";
import { TryIt } from "./tryit";
import { useDraft } from "./usedraft";

/** The policy in force, the draft of the next one, what was in force before, and trying calls. */
export function Editor({ inForce }: { inForce: GetPolicyResponse }) {
  const [search, setSearch] = useSearchParams();
  const { draft, dispatch, unsaved, overtaken, linked, leave } = useDraft(inForce);
  const [reviewed, setReviewed] = useState<Reviewed | null>(null);
  const policy = useMemo(() => policyOf(draft.now), [draft.now]);
  // What is reviewed stays as it is.
  const step = (what: "undo" | "redo") => () => reviewed === null && dispatch({ do: what });
  useHotkeys([
    ["mod+Z", step("undo")],
    ["mod+shift+Z", step("redo")],
    ["mod+Y", step("redo")],
  ]);

  const view = search.has("version") || search.get("view") === "history" ? "history" : "rules";
  const trying = search.has("try");
  const show = (next: string | null) => setSearch(next === "history" ? { view: "history" } : {});
  const setTrying = (on: boolean) => {
    const address = new URLSearchParams(search);
    if (on) address.set("try", "1");
    else address.delete("try");
    setSearch(address, { replace: true });
  };
  return (
    <Page
      title="Access policy"
      lead="What AI assistants may do. The first rule that matches decides; a rule that monitors only records what it would have done."
      actions={
        <Button
          variant="default"
          leftSection={<IconTestPipe size={16} stroke={1.6} aria-hidden />}
          onClick={() => setTrying(true)}
        >
          Try it
        </Button>
      }
    >
      <InForce inForce={inForce} />
      <Tabs value={view} onChange={show} keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="rules">Rules</Tabs.Tab>
          <Tabs.Tab value="history">History</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="rules">
          <RulesTab
            draft={draft}
            dispatch={dispatch}
            linked={linked}
            unsaved={unsaved}
            overtaken={overtaken}
            onReview={() => setReviewed({ what: "draft" })}
          />
        </Tabs.Panel>
        <Tabs.Panel value="history" pt="lg">
          {unsaved && (
            <Text size="sm" c="dimmed" mb="md">
              Your draft with unsaved changes is kept under Rules.
            </Text>
          )}
          <History
            inForce={inForce}
            onRollback={(version) => setReviewed({ what: "rollback", version, base: inForce.version })}
          />
        </Tabs.Panel>
      </Tabs>
      <TryIt opened={trying} onClose={() => setTrying(false)} draft={policy} unsaved={unsaved} />
      <Reviews reviewed={reviewed} onReview={setReviewed} draft={draft} policy={policy} dispatch={dispatch} />
      <Leaving unsaved={unsaved} onLeave={leave} />
    </Page>
  );
}
