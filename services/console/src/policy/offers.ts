import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { useQuery } from "@connectrpc/connect-query";
import { useMemo } from "react";
import { sentence } from "../api/problem";
import { ActivityService, Facet } from "../gen/sallyport/admin/v1/activity_service_pb";
import { ConnectionService } from "../gen/sallyport/admin/v1/connection_service_pb";
import { DirectoryService } from "../gen/sallyport/admin/v1/directory_service_pb";
import { OperationService } from "../gen/sallyport/admin/v1/operation_service_pb";
import { Effect } from "../gen/sallyport/policy/v1/policy_pb";
import { count } from "../parts/amounts";

/** Something that exists and can be picked: what is taken for it, what it is called, and what it means. */
export type Offer = { value: string; label?: string; detail?: string };
export type Offers = { title: string; offers: Offer[] }[];

/** What is offered, and in sentences what couldn't be found out. */
export type Found = { groups: Offers; missing: string[] };

const keep = { staleTime: 60_000 };
const month = timestampFromDate(new Date(Date.now() - 30 * 24 * 3600_000));

function useSeen(facet: Facet) {
  return useQuery(ActivityService.method.searchActivity, { counts: [facet], pageSize: 1, since: month }, keep);
}

function useConnections() {
  return useQuery(ConnectionService.method.listConnections, { pageSize: 1000 }, keep);
}

/** What signs in to Sallyport itself, and never calls a tool. */
const own = ["sallyport-console", "sallyport-cli"];

/** The assistants that are connected, or that called something in the last 30 days. */
export function useClients(): Found & { classes: ReadonlyMap<string, string> } {
  const seen = useSeen(Facet.CLIENT);
  const connected = useConnections();
  return useMemo(() => {
    const calls = new Map(seen.data?.counts[0]?.counts.map((found) => [found.value, found.count]));
    const names = new Map(seen.data?.counts[0]?.counts.map((found) => [found.value, found.label]));
    const classes = new Map<string, string>();
    for (const { client } of connected.data?.connections ?? []) {
      if (!client || own.includes(client.key)) continue;
      names.set(client.key, client.name);
      classes.set(client.key, client.class);
    }
    const offers = [...names].map(([key, name]) => {
      const called = calls.get(key);
      const heard = called ? `${count(called, "call")} in 30 days` : "connected";
      return { value: key, label: key, detail: [name !== key && name, heard].filter(Boolean).join(" · ") };
    });
    return {
      groups: [
        { title: "Any", offers: [{ value: "*", label: "Any client" }] },
        { title: "Seen here", offers },
      ],
      missing: troubles(seen.error, connected.error),
      classes,
    };
  }, [seen.data, seen.error, connected.data, connected.error]);
}

/** The people who are connected, or who called something in the last 30 days, by e-mail address where there is one. */
export function usePeople(): Found {
  const seen = useSeen(Facet.PERSON);
  const connected = useConnections();
  return useMemo(() => {
    const people = new Map<string, string>();
    for (const { email, accountId, name } of connected.data?.connections ?? []) people.set(email || accountId, name);
    for (const { value, label } of seen.data?.counts[0]?.counts ?? []) {
      if (!people.has(label || value)) people.set(label || value, "");
    }
    const offers = [...people].map(([who, name]) => ({ value: `user:${who}`, label: who, detail: name }));
    return { groups: [{ title: "People", offers }], missing: troubles(seen.error, connected.error) };
  }, [seen.data, seen.error, connected.data, connected.error]);
}

/** The site's groups. */
export function useGroups(): Found {
  const groups = useQuery(DirectoryService.method.listGroups, {}, keep);
  return useMemo(() => {
    const offers = (groups.data?.groups ?? []).map(({ name }) => ({ value: `group:${name}`, label: name }));
    return { groups: [{ title: "Groups", offers }], missing: troubles(groups.error) };
  }, [groups.data, groups.error]);
}

/** What each family means, to a rule that denies and to one that allows. */
const families = [
  { value: "read*", any: "Anything that looks something up", all: "What only looks things up" },
  { value: "create*", any: "Anything that adds something", all: "What only adds something" },
  { value: "update*", any: "Anything that changes something", all: "What only changes something" },
  { value: "delete*", any: "Anything that deletes", all: "What only deletes" },
  { value: "manage*", any: "Anything that grants, revokes or administers", all: "What only grants or revokes" },
  { value: "write*", any: "Anything that isn't known to only read", all: "What does anything but read" },
];

/** The families, the products, and the tools of the site. */
export function useOperations(effect: Effect): Found & { products: readonly string[] } {
  const known = useQuery(OperationService.method.listOperations, {}, keep);
  return useMemo(() => {
    const all = known.data?.operations ?? [];
    const products = [...new Set(all.map(({ product }) => product).filter(Boolean))].sort();
    const tools = all.map(({ name, families, calls }) => {
      const heard = calls ? `${count(calls, "call")} in 30 days` : "";
      return { value: name, label: name, detail: [families.join(", "), heard].filter(Boolean).join(" · ") };
    });
    const meaning = families.map(({ value, any, all }) => {
      return { value, label: value, detail: effect === Effect.ALLOW ? all : any };
    });
    return {
      groups: [
        { title: "Families", offers: meaning },
        { title: "Products", offers: products.map((product) => ({ value: product, label: product })) },
        { title: "Tools", offers: tools },
      ],
      missing: [...troubles(known.error), ...(known.data?.unknown ?? [])],
      products,
    };
  }, [known.data, known.error, effect]);
}

function troubles(...errors: unknown[]): string[] {
  return errors.filter((error) => error !== null).map(sentence);
}
