import { timestampDate, timestampFromDate, timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { useTransport } from "@connectrpc/connect-query";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useMemo, useRef, useState } from "react";
import type { Record as LogRecord } from "../gen/sallyport/activity/v1/record_pb";
import { ActivityService } from "../gen/sallyport/admin/v1/activity_service_pb";
import { usePages } from "./pages";
import { useTail } from "./tail";
import { notLive, searchOf, type View } from "./view";

/** How many new records are kept beside the pages: where there are more, the log begins anew when nobody reads. */
export const mostNew = 1_000;

/** What is answered the same however often one asks. */
const refused = [Code.InvalidArgument, Code.PermissionDenied, Code.Unauthenticated];

/** How long to wait before what failed is asked for again, in milliseconds. */
const retryAfter = 10_000;

/** How long the end of what was recorded is waited for, in milliseconds: of calls, and of all else. */
const [callsEnd, restEnds] = [300_000, 60_000];

/** What came by the tail, newest first: what is shown, what waits since somebody reads, and what changed of others. */
type News = {
  of: object;
  shown: LogRecord[];
  held: LogRecord[];
  changed: Map<string, LogRecord>;
  /** Whether there are more than the tail could send. */
  cut: boolean;
};

/** The records of a view, newest first, and, where live, what is recorded meanwhile. */
export function useRecords(view: View, live: boolean) {
  const client = createClient(ActivityService, useTransport());
  const [turn, setTurn] = useState(0);
  const key = JSON.stringify(view);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what "24h" means is settled when the search begins.
  const search = useMemo(() => searchOf(view, new Date()), [key, turn]);
  const pages = usePages(search, turn);
  const reading = useRef(false);

  const [kept, setNews] = useState<News>(() => nothing(search));
  const news = kept.of === search ? kept : nothing(search);

  function take(records: LogRecord[]) {
    setNews((previous) => {
      const from = previous.of === search ? previous : nothing(search);
      const known = new Set([...pages.records, ...from.shown, ...from.held].map((record) => record.id));
      const changed = new Map(from.changed);
      const fresh: LogRecord[] = [];
      for (const record of records) {
        if (known.has(record.id)) changed.set(record.id, record);
        else fresh.push(record);
      }
      fresh.sort(newestFirst);
      return reading.current
        ? { ...from, changed, held: merged(fresh, from.held).slice(0, mostNew + 1) }
        : { ...from, changed, shown: merged(fresh, merged(from.held, from.shown)), held: [] };
    });
  }

  const restart = () => setTurn(turn + 1);
  const many = news.shown.length > mostNew;
  const restartAlone = useEffectEvent(restart);
  useEffect(() => {
    if (many && !reading.current) restartAlone();
  }, [many]);
  const [listening, setListening] = useState<object>();
  const tail = useTail(search, live && notLive(view) === undefined, {
    onBegin: () => setListening(search),
    onRecords: take,
    // Nothing moves what somebody reads.
    onCut: () => (reading.current ? setNews({ ...news, cut: true }) : restart()),
  });
  const loaded = pages.query.isSuccess && !pages.query.isPlaceholderData;
  const fillGap = useEffectEvent(async () => {
    const page = await client.searchActivity({ ...search, pageSize: 100 }).catch(() => undefined);
    if (!page) return;
    const known = new Set(pages.records.map((record) => record.id));
    // With more in between than a page, there would be a hole.
    if (known.size > 0 && page.nextPageToken && !page.records.some((record) => known.has(record.id))) restart();
    else take(page.records);
  });
  // What was recorded after the pages were asked for and before the tail began is asked for once both are there.
  useEffect(() => {
    if (loaded && listening === search) void fillGap();
  }, [loaded, listening, search]);

  const old = pages.query.isPlaceholderData;
  const rows = useMemo(() => {
    if (old) return pages.records;
    const all = pages.start === 0 ? merged(news.shown, pages.records) : [...news.shown, ...pages.records];
    return all.map((record) => news.changed.get(record.id) ?? record);
  }, [old, pages.start, pages.records, news]);
  const { error, fetchNextPage, refetch } = pages.query;
  const retry = () => (pages.records.length > 0 ? fetchNextPage() : refetch());
  const retryAlone = useEffectEvent(retry);
  useEffect(() => {
    if (!error || refused.includes(ConnectError.from(error).code)) return;
    const timer = setTimeout(retryAlone, retryAfter);
    return () => clearTimeout(timer);
  }, [error]);
  useEnds(search, `${key} ${turn}`, live ? rows : [], take);

  return {
    pages,
    rows,
    tail,
    search,
    restart,
    retry,
    /** How many of them came since, and how many wait until nobody reads any more. */
    added: news.shown.length,
    held: news.cut ? mostNew + 1 : news.held.length,
    /** Says whether somebody reads further down, so that nothing may come in above. */
    setReading(now: boolean) {
      reading.current = now;
      if (now) return;
      if (news.cut || news.held.length + news.shown.length > mostNew || pages.start > 0) restart();
      else if (news.held.length > 0) take([]);
    },
  };
}

/** What useRecords returns. */
export type Records = ReturnType<typeof useRecords>;

/** How many rows there are, with those of pages that aren't kept any more. */
export function rowCount({ rows, pages }: Records): number {
  return rows.length + pages.start;
}

/** The record of a row; undefined where its page isn't kept any more. */
export function rowAt({ rows, pages, added }: Records, index: number): LogRecord | undefined {
  if (pages.start === 0 || index < added) return rows[index];
  return index < added + pages.start ? undefined : rows[index - pages.start];
}

/** The row of a record that is there; -1 where none is. */
export function rowOf({ rows, pages, added }: Records, id: string | undefined): number {
  const index = id ? rows.findIndex((record) => record.id === id) : -1;
  return pages.start === 0 || index < added ? index : index + pages.start;
}

function nothing(of: object): News {
  return { of, shown: [], held: [], changed: new Map(), cut: false };
}

/** Asks again for records whose end wasn't known yet: the tail sends each when it is decided. */
function useEnds(
  search: ReturnType<typeof searchOf>,
  key: string,
  rows: LogRecord[],
  take: (records: LogRecord[]) => void,
) {
  const client = createClient(ActivityService, useTransport());
  const open = rows.slice(0, 200).filter((record) => isOpen(record, Date.now()));
  const times = open.flatMap((record) => (record.time ? [timestampDate(record.time).getTime()] : []));
  useQuery({
    queryKey: ["ends", key, Math.min(...times), times.length],
    enabled: times.length > 0,
    refetchInterval: 2_000,
    staleTime: 0,
    gcTime: 0,
    queryFn: async () => {
      const page = await client.searchActivity({
        ...search,
        // Dates are rounded to milliseconds.
        since: timestampFromDate(new Date(Math.min(...times) - 1)),
        until: timestampFromDate(new Date(Math.max(...times) + 1)),
        pageSize: 200,
      });
      const ids = new Set(open.map((record) => record.id));
      take(page.records.filter((record) => ids.has(record.id) && !isOpen(record, Date.now())));
      return page.records.length;
    },
  });
}

function isOpen(record: LogRecord, now: number): boolean {
  const age = record.time ? now - timestampMs(record.time) : Number.POSITIVE_INFINITY;
  if (record.act) return age < restEnds && !["success", "failure"].includes(record.act.outcome);
  if (record.decision?.effect === "allowed")
    return age < callsEnd && (record.outcome?.result ?? "in_flight") === "in_flight";
  return age < restEnds && !record.outcome?.statusCode;
}

function newestFirst(a: LogRecord, b: LogRecord): number {
  const seconds = Number((b.time?.seconds ?? 0n) - (a.time?.seconds ?? 0n));
  return seconds || (b.time?.nanos ?? 0) - (a.time?.nanos ?? 0) || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

/** Both lists, each newest first, as one, without what the second has too. */
function merged(some: LogRecord[], others: LogRecord[]): LogRecord[] {
  if (some.length === 0) return others;
  const ids = new Set(some.map((record) => record.id));
  const list: LogRecord[] = [];
  let next = 0;
  for (const record of others) {
    if (ids.has(record.id)) continue;
    for (let first = some[next]; first && newestFirst(first, record) <= 0; first = some[next]) {
      list.push(first);
      next++;
    }
    list.push(record);
  }
  return list.concat(some.slice(next));
}
