import { Facet } from "../gen/sallyport/admin/v1/activity_service_pb";
import type { Filter, View } from "./view";
import { resultWords } from "./words";

/** A filter as it is offered. */
export type Field = {
  filter: Exclude<Filter, "query" | "since" | "until">;
  label: string;
  /** Whether it is offered at once, or under "More filters". */
  first?: boolean;
  /** Whether administrative acts have it. */
  acts?: boolean;
  /** What is typed into it, for what has more values than are offered. Where it is absent, only those can be chosen. */
  typed?: string;
  /** What records are counted by, to offer the values that there are. */
  facet?: Facet;
  /** Values that are offered even where no record has them, with what they mean. */
  values?: { value: string; label: string }[];
};

const named = (...values: string[]) => values.map((value) => ({ value, label: value }));

/** All filters but the box and the times, in the order in which they stand. */
export const fields: Field[] = [
  {
    filter: "decision",
    label: "Decision",
    first: true,
    facet: Facet.DECISION,
    values: [
      { value: "allowed", label: "Allowed" },
      { value: "blocked", label: "Blocked" },
    ],
  },
  {
    filter: "outcome",
    label: "Result",
    first: true,
    acts: true,
    facet: Facet.OUTCOME,
  },
  {
    filter: "user",
    label: "Person",
    first: true,
    acts: true,
    facet: Facet.PERSON,
    typed: "E-mail, account id or name",
  },
  { filter: "client", label: "Assistant", first: true, facet: Facet.CLIENT, typed: "Key or name" },
  {
    filter: "operation",
    label: "Operation",
    first: true,
    acts: true,
    facet: Facet.OPERATION,
    typed: "Name; * stands for anything",
  },
  { filter: "rule", label: "Rule", facet: Facet.RULE, typed: "Number, id or words of its note" },
  { filter: "group", label: "Group", typed: "Name or id" },
  {
    filter: "family",
    label: "Family",
    values: [
      { value: "read", label: "read: looks, changes nothing" },
      { value: "create", label: "create: adds something" },
      { value: "update", label: "update: changes something" },
      { value: "delete", label: "delete: removes something" },
      { value: "manage", label: "manage: administers" },
      { value: "write", label: "write: all but read" },
    ],
  },
  {
    filter: "product",
    label: "Product",
    typed: "Product",
    values: named("jira", "confluence", "jsm", "compass", "bitbucket"),
  },
  { filter: "project", label: "Project", typed: "Key of a Jira project" },
  { filter: "session", label: "Session", typed: "Session, as a record has it" },
];

/** The filters that a view may have. */
export function fieldsOf(view: View): Field[] {
  return fields.filter((field) => field.acts || !view.administrative);
}

/** What a filter of a view is called. */
export function filterLabel(filter: Filter): string {
  if (filter === "query") return "Search";
  if (filter === "since" || filter === "until") return "Time";
  return fields.find((field) => field.filter === filter)?.label ?? filter;
}

/** A value of a filter in words. */
export function valueLabel(filter: Filter, value: string): string {
  if (filter === "outcome") return value === "error" ? "Errors" : resultWords(value).text;
  if (filter === "decision") return value === "allowed" ? "Allowed" : value === "blocked" ? "Blocked" : value;
  if (filter === "rule" && value === "default") return "the default";
  if (filter === "session") return `${value.slice(0, 8)}…`;
  return value;
}
