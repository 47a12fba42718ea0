import { useEffect, useReducer, useState } from "react";
import { useSearchParams } from "react-router";
import { useSession } from "../api/session";
import type { GetPolicyResponse } from "../gen/sallyport/admin/v1/policy_service_pb";
import { begin, documentOf, reduce, type Saved, same } from "./draft";
import { forget, keep, kept } from "./kept";
import { linkedRule, withoutRule } from "./link";

/** The policy in force as a draft starts from it. */
export function savedOf(inForce: GetPolicyResponse): Saved {
  return { version: inForce.version, document: documentOf(inForce.policy) };
}

/**
 * The draft: the one that the tab kept, with the rule that the address begins with. It follows the policy in force while
 * nothing is changed in it.
 */
export function useDraft(inForce: GetPolicyResponse) {
  const [search, setSearch] = useSearchParams();
  const { name } = useSession();
  const [linked] = useState(() => linkedRule(search));
  const [draft, dispatch] = useReducer(reduce, null, () => {
    const draft = kept(name) ?? begin(savedOf(inForce));
    return linked ? reduce(draft, { do: "add", rule: linked, at: 0 }) : draft;
  });
  const unsaved = !same(draft.base.document, draft.now);
  const overtaken = inForce.version > draft.base.version ? inForce.version : null;

  useEffect(() => {
    if (unsaved) keep(name, draft);
    else forget(name);
  }, [unsaved, draft, name]);
  useEffect(() => {
    if (overtaken !== null && !unsaved) dispatch({ do: "begin", base: savedOf(inForce) });
  }, [overtaken, unsaved, inForce]);
  useEffect(() => {
    // Loading the page again must not add it again.
    if (search.has("add")) setSearch(withoutRule(search), { replace: true });
  }, [search, setSearch]);
  return { draft, dispatch, unsaved, overtaken: unsaved ? overtaken : null, linked, leave: () => forget(name) };
}
