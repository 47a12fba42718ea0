import { Effect, Mode } from "../gen/sallyport/policy/v1/policy_pb";
import type { Field, Rule } from "./draft";

/** What the columns are called. */
export const titles: Record<Field, string> = {
  client: "AI client",
  who: "User group or person",
  operation: "Operation",
  effect: "Effect",
  note: "Note",
  mode: "Mode",
  verified: "Only if verified",
};

export function effectWord(effect: Effect): string {
  return effect === Effect.ALLOW ? "Allow" : effect === Effect.DENY ? "Deny" : "Not chosen";
}

export function modeWord(mode: Mode): string {
  return mode === Mode.MONITOR ? "Monitor" : "On";
}

export function clientText(client: string): string {
  return client === "*" || client === "" ? "Any client" : client;
}

export function operationText(operation: string): string {
  return operation === "*" || operation === "" ? "Anything" : operation;
}

/** Who a rule is for: what kind of it, and what it is called. */
export function readWho(who: string): { kind: "anybody" | "group" | "user" | "unclear"; name: string } {
  if (who === "any" || who === "") return { kind: "anybody", name: "Anybody" };
  const [, kind, name] = /^(group|user):\s*(.+)$/.exec(who) ?? [];
  return kind && name ? { kind: kind as "group" | "user", name } : { kind: "unclear", name: who };
}

/** What is meant by somebody who leaves out the kind: a person where it is an e-mail address, a group where it is one. */
export function meantWho(text: string, groups: readonly string[]): string {
  const typed = text.trim();
  if (/^any(body)?$/i.test(typed) || typed === "") return "any";
  if (typed.includes(":")) return typed;
  if (typed.includes("@")) return `user:${typed}`;
  return groups.some((group) => group.toLowerCase() === typed.toLowerCase()) ? `group:${typed}` : typed;
}

/** A rule in a line, as `sallyport policy diff` writes it. */
export function ruleText(rule: Omit<Rule, "id">): string {
  const client = rule.client === "*" ? "" : ` by client "${rule.client}"`;
  const verified = rule.verified ? " if verified" : "";
  const who = rule.who === "any" ? "" : ` for ${rule.who}`;
  const mode = rule.mode === Mode.MONITOR ? ", only monitoring" : "";
  const note = rule.note ? ` (${rule.note})` : "";
  return `${effectWord(rule.effect).toLowerCase()} "${rule.operation}"${client}${verified}${who}${mode}${note}`;
}

/** A field of a rule in words. */
export function fieldText(rule: Omit<Rule, "id">, field: Field): string {
  switch (field) {
    case "client":
      return clientText(rule.client);
    case "who":
      return readWho(rule.who).name;
    case "operation":
      return operationText(rule.operation);
    case "effect":
      return effectWord(rule.effect);
    case "mode":
      return modeWord(rule.mode);
    case "verified":
      return rule.verified ? "yes" : "no";
    case "note":
      return rule.note || "none";
  }
}
