import { type PolicyChange, PolicyChangeKind } from "../gen/sallyport/admin/v1/policy_service_pb";
import { type Document, type Rule, ruleOf } from "./draft";

/**
 * Puts the changes of one policy on top of another that was saved meanwhile: of a rule that both changed, the fields
 * that mine changed are mine; one that was removed there and changed here is back; one that is new or was moved here
 * comes after the rule that it comes after here.
 */
export function onTop(theirs: Document, mine: Document, changes: readonly PolicyChange[]): Document {
  let { defaultEffect } = theirs;
  let rules: Rule[] = [...theirs.rules];
  const place = (number: number) => {
    const rule = mine.rules[number - 1];
    if (!rule) return;
    const there = rules.find(({ id }) => id === rule.id) ?? rule;
    rules = rules.filter(({ id }) => id !== rule.id);
    rules.splice(after(rules, mine, number), 0, there);
  };
  const placed: number[] = [];
  for (const change of changes) {
    switch (change.kind) {
      case PolicyChangeKind.DEFAULT:
        defaultEffect = mine.defaultEffect;
        break;
      case PolicyChangeKind.REMOVED:
        rules = rules.filter(({ id }) => id !== change.before?.id);
        break;
      case PolicyChangeKind.CHANGED:
        if (rules.some(({ id }) => id === change.after?.id)) rules = rules.map((rule) => patched(rule, change));
        else placed.push(change.numberAfter);
        break;
      case PolicyChangeKind.ADDED:
      case PolicyChangeKind.MOVED:
        placed.push(change.numberAfter);
    }
  }
  for (const number of placed.sort((a, b) => a - b)) place(number);
  return { defaultEffect, rules };
}

/** The place after the nearest rule that comes before in mine, and that there is. */
function after(rules: Rule[], mine: Document, number: number): number {
  for (let before = number - 2; before >= 0; before--) {
    const at = rules.findIndex(({ id }) => id === mine.rules[before]?.id);
    if (at >= 0) return at + 1;
  }
  return 0;
}

/** The rule with the fields that a change changed. */
function patched(rule: Rule, change: PolicyChange): Rule {
  if (!change.before || !change.after || rule.id !== change.after.id) return rule;
  const before = ruleOf(change.before);
  const own = Object.entries(ruleOf(change.after)).filter(([field, value]) => before[field as keyof Rule] !== value);
  return { ...rule, ...Object.fromEntries(own) };
}
