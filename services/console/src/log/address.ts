import { useCallback, useMemo } from "react";
import { useLocation, useNavigate, useSearchParams } from "react-router";
import { type Filter, filtersOf, readView, type View, withFilters } from "./view";

/** What the page shows, as its address says it, and the ways to show something else. */
export function useAddress() {
  const [params] = useSearchParams();
  const location = useLocation();
  const navigate = useNavigate();
  const record = params.get("record") || undefined;
  const listed = new URLSearchParams(params);
  listed.delete("record");
  const key = listed.toString();
  // The same object while only the record is another one, so that nothing is asked for anew.
  const view: View = useMemo(() => readView(new URLSearchParams(key)), [key]);

  const go = (next: URLSearchParams, options: { replace?: boolean; state?: unknown } = {}) =>
    navigate({ search: next.toString() }, { preventScrollReset: true, ...options });
  const linkTo = useCallback((id: string) => `/log?${withRecord(new URLSearchParams(key), id)}`, [key]);

  return {
    view,
    record,
    linkTo,
    /** Other filters are another page in the browser's history. */
    toFilters: (change: Partial<Record<Filter, string | undefined>>) => go(withFilters(params, change)),
    /** Words are typed letter by letter, and aren't. */
    toSearch: (query: string) => go(withFilters(params, { query: query.trim() }), { replace: true }),
    toAll: () => go(withFilters(params, Object.fromEntries(filtersOf(view).map((filter) => [filter, ""])))),
    toKind: (administrative: boolean) => go(new URLSearchParams(administrative ? { administrative: "1" } : {})),
    /** Opens a record; from one to the next is no page of its own. */
    toRecord: (id: string) =>
      go(withRecord(listed, id), { replace: record !== undefined, state: record ? location.state : { listed: true } }),
    /** Closes it, by which the browser's history is as before. */
    toList: () => (location.state?.listed ? navigate(-1) : go(listed, { replace: true })),
  };
}

function withRecord(params: URLSearchParams, id: string): URLSearchParams {
  const next = new URLSearchParams(params);
  next.set("record", id);
  return next;
}
