import { Role } from "../gen/sallyport/admin/v1/access_pb";

/** The roles, for choosing one. */
export const roles = [
  { value: String(Role.VIEWER), label: "viewer" },
  { value: String(Role.AUDITOR), label: "auditor" },
  { value: String(Role.ADMIN), label: "admin" },
];

/** The role that was chosen. */
export function roleOf(value: string): Role {
  return Number(value) as Role;
}

/** A group or person with a role: who, as the API writes it, and the group's name where it is known. */
export type Binding = { role: Role; who: string; name: string };

/** What people call a group or person: by the e-mail address of whoever is known by account id. */
export function called({ who, name }: Binding, people: Map<string, string>): string {
  const bare = who.replace(/^(group|user):/, "");
  return name || people.get(bare) || bare;
}

/**
 * What somebody typed as the API writes it: as it is where they wrote that; a person for an e-mail address or an
 * Atlassian account id; and a group for anything else, by name, which the service looks up.
 */
export function whoOf(typed: string): string {
  const text = typed.trim();
  if (/^(group|user):/.test(text)) return text;
  const person = text.includes("@") || /^\d+:[\w-]+$/.test(text) || /^[0-9a-f]{24}$/.test(text);
  return `${person ? "user" : "group"}:${text}`;
}

/** Two lists of bindings say the same. */
export function same(a: Binding[], b: Binding[]): boolean {
  return a.length === b.length && a.every(({ who, role }, i) => b[i]?.who === who && b[i]?.role === role);
}

/** What was changed from base to mine, done to theirs: what somebody else saved meanwhile. */
export function rebase(base: Binding[], mine: Binding[], theirs: Binding[]): Binding[] {
  const has = (list: Binding[], { who, role }: Binding) => list.some((b) => b.who === who && b.role === role);
  const added = mine.filter((binding) => !has(base, binding));
  const gone = base.filter((binding) => !has(mine, binding));
  const kept = theirs.filter((binding) => !has(gone, binding) && !added.some(({ who }) => who === binding.who));
  return [...kept, ...added];
}
