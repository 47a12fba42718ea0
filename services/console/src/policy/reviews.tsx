import { create } from "@bufbuild/protobuf";
import { createConnectQueryKey } from "@connectrpc/connect-query";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import type { Dispatch } from "react";
import {
  type GetPolicyResponse,
  type PolicyConflict,
  PolicyService,
  type SavePolicyResponse,
} from "../gen/sallyport/admin/v1/policy_service_pb";
import { type Policy, PolicySchema } from "../gen/sallyport/policy/v1/policy_pb";
import { type Action, type Draft, documentOf } from "./draft";
import { onTop } from "./merge";
import { Review } from "./review";
import { savedOf } from "./usedraft";

/** What is reviewed: the draft, or an older version that is to be in force again. */
export type Reviewed = { what: "draft" } | { what: "rollback"; version: GetPolicyResponse; base: bigint };

type Props = {
  reviewed: Reviewed | null;
  onReview: (reviewed: Reviewed | null) => void;
  draft: Draft;
  policy: Policy;
  dispatch: Dispatch<Action>;
};

/** The dialog before something is put in force, and what comes of it. */
export function Reviews({ reviewed, onReview, draft, policy, dispatch }: Props) {
  const queries = useQueryClient();
  if (!reviewed) return null;
  const close = () => onReview(null);
  const refresh = () =>
    queries.invalidateQueries({ queryKey: createConnectQueryKey({ schema: PolicyService, cardinality: undefined }) });
  const saved = async (answer: SavePolicyResponse) => {
    close();
    await refresh();
    notifications.show({
      message: `Version ${answer.version} of the policy is in force.`,
      color: "green",
      closeButtonProps: { "aria-label": "Close" },
    });
    document.getElementById("in-force")?.focus();
  };
  if (reviewed.what === "draft") {
    const begin = ({ inForce }: PolicyConflict, mine?: (typeof draft)["now"]) => {
      if (inForce) dispatch({ do: "begin", base: savedOf(inForce), now: mine });
      return refresh();
    };
    return (
      <Review
        title="Review and save"
        action="Save"
        policy={policy}
        base={draft.base.version}
        onClose={close}
        onSaved={(answer) => {
          dispatch({ do: "begin", base: { version: answer.version, document: documentOf(answer.policy) } });
          return saved(answer);
        }}
        onTheirs={(conflict) => {
          close();
          return begin(conflict);
        }}
        onMine={(conflict) => {
          const theirs = documentOf(conflict.inForce?.policy);
          // Without the version that it started from nobody knows what was changed in it.
          const known = conflict.yourChanges.length > 0;
          return begin(conflict, known ? onTop(theirs, draft.now, conflict.yourChanges) : draft.now);
        }}
      />
    );
  }
  const { version, base } = reviewed;
  return (
    <Review
      title={`Roll back to version ${version.version}`}
      action={`Roll back to version ${version.version}`}
      rollback
      message={`Roll back to version ${version.version}`}
      policy={version.policy ?? create(PolicySchema)}
      base={base}
      onClose={close}
      onSaved={saved}
      onTheirs={() => {
        close();
        return refresh();
      }}
      onMine={({ inForce }) => onReview({ ...reviewed, base: inForce?.version ?? base })}
    />
  );
}
