import { create } from "@bufbuild/protobuf";
import { Effect, Mode, type Policy, PolicySchema, type Rule as SavedRule } from "../gen/sallyport/policy/v1/policy_pb";

/** A rule as it is edited; what its patterns mean is the rule language's (docs/policy.md). */
export type Rule = {
  id: string;
  client: string;
  who: string;
  operation: string;
  effect: Effect;
  note: string;
  mode: Mode;
  verified: boolean;
};

/** What of a rule people fill in. */
export type Field = Exclude<keyof Rule, "id">;

/** A policy without its version. */
export type Document = { defaultEffect: Effect; rules: readonly Rule[] };

/** A policy that was saved, and its version; 0 where none ever was. */
export type Saved = { version: bigint; document: Document };

/** A policy that is edited: from where it started, what it is now, and what it was and would be by undo and redo. */
export type Draft = { base: Saved; now: Document; past: readonly Document[]; future: readonly Document[] };

export type Action =
  | { do: "default"; effect: Effect }
  | { do: "add"; rule: Rule; at: number }
  | { do: "edit"; id: string; patch: Partial<Rule> }
  | { do: "move"; id: string; to: number }
  | { do: "remove"; id: string }
  | { do: "undo" }
  | { do: "redo" }
  | { do: "discard" }
  /** Another version is the one to start from, with nothing changed in it, or with what the draft is then. */
  | { do: "begin"; base: Saved; now?: Document };

/** A draft in which nothing is changed, or what is given. */
export function begin(base: Saved, now: Document = base.document): Draft {
  return { base, now, past: [], future: [] };
}

/** The draft after an action. */
export function reduce(draft: Draft, action: Action): Draft {
  switch (action.do) {
    case "begin":
      return begin(action.base, action.now);
    case "undo": {
      const before = draft.past.at(-1);
      if (!before) return draft;
      return { ...draft, now: before, past: draft.past.slice(0, -1), future: [draft.now, ...draft.future] };
    }
    case "redo": {
      const [after, ...future] = draft.future;
      if (!after) return draft;
      return { ...draft, now: after, past: [...draft.past, draft.now], future };
    }
    default: {
      const now = changed(draft, action);
      if (same(now, draft.now)) return draft;
      return { ...draft, now, past: [...draft.past, draft.now], future: [] };
    }
  }
}

function changed(draft: Draft, action: Exclude<Action, { do: "undo" | "redo" | "begin" }>): Document {
  const { now, base } = draft;
  switch (action.do) {
    case "discard":
      return base.document;
    case "default":
      return { ...now, defaultEffect: action.effect };
    case "add":
      return { ...now, rules: now.rules.toSpliced(action.at, 0, action.rule) };
    case "edit":
      return { ...now, rules: now.rules.map((rule) => (rule.id === action.id ? { ...rule, ...action.patch } : rule)) };
    case "remove":
      return { ...now, rules: now.rules.filter((rule) => rule.id !== action.id) };
    case "move": {
      const from = now.rules.findIndex((rule) => rule.id === action.id);
      const rule = now.rules[from];
      if (!rule) return now;
      return { ...now, rules: now.rules.toSpliced(from, 1).toSpliced(action.to, 0, rule) };
    }
  }
}

/** A rule that nobody has filled in: it is about everything. It decides nothing until it is saved. */
export function newRule(patch: Partial<Rule> = {}): Rule {
  return {
    id: newID(),
    client: "*",
    who: "any",
    operation: "*",
    effect: Effect.DENY,
    note: "",
    mode: Mode.ENFORCE,
    verified: false,
    ...patch,
  };
}

/** An id as Sallyport gives rules theirs: 40 random bits. */
export function newID(): string {
  const letters = "abcdefghijklmnopqrstuvwxyz234567";
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => letters[byte % 32]).join("");
}

/** Says whether two policies say the same. */
export function same(a: Document, b: Document): boolean {
  return (
    a === b ||
    (a.defaultEffect === b.defaultEffect &&
      a.rules.length === b.rules.length &&
      a.rules.every((rule, i) => sameRule(rule, b.rules[i])))
  );
}

const fields: Field[] = ["client", "who", "operation", "effect", "note", "mode", "verified"];

/** Says whether two rules say the same, and are the same one. */
export function sameRule(a: Rule, b: Rule | undefined): boolean {
  return a === b || (b !== undefined && a.id === b.id && fields.every((field) => a[field] === b[field]));
}

/** What is different in a policy, by ids of rules. */
export type Difference = {
  default: boolean;
  added: ReadonlySet<string>;
  changed: ReadonlySet<string>;
  removed: number;
  reordered: boolean;
};

/** What is different in a policy after changing it. */
export function difference(before: Document, after: Document): Difference {
  const was = new Map(before.rules.map((rule) => [rule.id, rule]));
  const is = new Set(after.rules.map((rule) => rule.id));
  const kept = after.rules.filter((rule) => was.has(rule.id));
  const stayed = before.rules.filter((rule) => is.has(rule.id));
  return {
    default: before.defaultEffect !== after.defaultEffect,
    added: new Set(after.rules.filter((rule) => !was.has(rule.id)).map((rule) => rule.id)),
    changed: new Set(kept.filter((rule) => !sameRule(rule, was.get(rule.id))).map((rule) => rule.id)),
    removed: before.rules.length - stayed.length,
    reordered: kept.some((rule, i) => rule.id !== stayed[i]?.id),
  };
}

/** A policy of the API as it is edited. */
export function documentOf(policy: Policy | undefined): Document {
  return { defaultEffect: policy?.defaultEffect ?? Effect.DENY, rules: (policy?.rules ?? []).map(ruleOf) };
}

/** A rule of the API as it is edited. */
export function ruleOf({ id, client, who, operation, effect, note, mode, verified }: SavedRule): Rule {
  return { id, client, who, operation, effect, note, mode, verified };
}

/** A policy as the API takes it. */
export function policyOf(document: Document): Policy {
  return create(PolicySchema, {
    defaultEffect: document.defaultEffect,
    rules: document.rules.map((rule) => ({ ...rule })),
  });
}
