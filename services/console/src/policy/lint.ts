import { useQuery } from "@connectrpc/connect-query";
import { useDebouncedValue } from "@mantine/hooks";
import { useEffect, useMemo, useState } from "react";
import { violations } from "../api/refusal";
import { TrialService } from "../gen/sallyport/admin/v1/trial_service_pb";
import { type Document, type Field, policyOf } from "./draft";

/** What is said about a rule: that it would be refused, or that it is probably not meant. */
export type Remark = { field: Field | ""; refused: boolean; sentence: string; near: string[] };

/** Remarks by the rules' ids, those about the whole under none, and what couldn't be checked. */
export type Lint = { remarks: ReadonlyMap<string, Remark[]>; unchecked: string[]; error: unknown; checked: boolean };

const nothing: Lint = { remarks: new Map(), unchecked: [], error: null, checked: false };

/** Has a draft checked when nobody has changed it for a moment. */
export function useLint(document: Document): Lint {
  const [settled] = useDebouncedValue(document, 400);
  const draft = useMemo(() => policyOf(settled), [settled]);
  const { data, error } = useQuery(
    TrialService.method.lintPolicy,
    { policy: { source: { case: "draft", value: draft } } },
    { staleTime: 30_000, gcTime: 60_000 },
  );
  // What was said of the draft before stays until there is something to say of this one.
  const [lint, setLint] = useState(nothing);
  useEffect(() => {
    const found = (data?.findings ?? []).map(({ field, sentence, near }) => ({
      field,
      sentence,
      near,
      refused: false,
    }));
    const refused = error ? violations(error).map((violation) => ({ ...violation, near: [], refused: true })) : [];
    if (!data && !error) return;
    setLint((before) => ({
      remarks: byRule([...found, ...refused], settled, before.remarks),
      unchecked: data?.unchecked ?? [],
      error: refused.length > 0 ? null : error,
      checked: true,
    }));
  }, [data, error, settled]);
  return lint;
}

/** The remarks by rule. Those that are as before are the same, so that their rules needn't be drawn again. */
function byRule(
  remarks: (Omit<Remark, "field"> & { field: string })[],
  { rules }: Document,
  before: Lint["remarks"],
): Map<string, Remark[]> {
  const byID = new Map<string, Remark[]>();
  for (const remark of remarks) {
    const [, place, field] = /^rules\[(\d+)\]\.?(\w*)/.exec(remark.field) ?? [];
    const id = rules[Number(place)]?.id ?? "";
    byID.set(id, [...(byID.get(id) ?? []), { ...remark, field: (field ?? "") as Field | "" }]);
  }
  for (const [id, is] of byID) {
    const was = before.get(id);
    if (was && JSON.stringify(was) === JSON.stringify(is)) byID.set(id, was);
  }
  return byID;
}
