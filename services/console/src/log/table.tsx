// biome-ignore-all lint/a11y/useSemanticElements: rows are placed, which those of a table element can't be.
// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus, and says which row is active.
import { Button, VisuallyHidden } from "@mantine/core";
import { useHotkeys, useMediaQuery } from "@mantine/hooks";
import { IconArrowUp } from "@tabler/icons-react";
import { type KeyboardEvent, useEffect, useEffectEvent, useRef, useState } from "react";
import { number } from "../parts/amounts";
import { mostNew, type Records, rowAt, rowCount, rowOf } from "./records";
import { Cells, CellsToCome, titles } from "./row";
import { useRows } from "./rows";
import classes from "./table.module.css";

/** How many rows that are still to come are shown at the end. */
const toCome = 3;

type Props = {
  log: Records;
  administrative: boolean;
  /** The record whose panel is open. */
  opened: string | undefined;
  /** The address of a record. */
  linkTo: (id: string) => string;
  onOpen: (id: string) => void;
};

/** The records as a table of which only what is seen is in the page. The page itself scrolls. */
export function Table({ log, administrative, opened, linkTo, onOpen }: Props) {
  const grid = useRef<HTMLDivElement>(null);
  const narrow = useMediaQuery("(max-width: 56rem)", window.innerWidth <= 896);
  const [chosen, choose] = useState<string>();
  const active = rowOf(log, opened ?? chosen);
  const { hasNextPage, isFetching } = log.pages.query;
  const count = rowCount(log);
  const rows = useRows(grid, { of: log.search, count: count + (hasNextPage ? toCome : 0), height: narrow ? 88 : 52 });
  useWanted(log, rows.items);
  useReading(log, rows.top);
  const searched = useRef(log.search);
  useEffect(() => {
    if (searched.current !== log.search) window.scrollTo({ top: 0 });
    searched.current = log.search;
  }, [log.search]);

  function moveTo(index: number) {
    const record = rowAt(log, Math.max(0, Math.min(index, count - 1)));
    if (!record) return;
    choose(record.id);
    rows.show(rowOf(log, record.id));
    if (opened) onOpen(record.id);
  }
  function openActive() {
    const record = rowAt(log, active);
    if (record) onOpen(record.id);
  }
  const next = () => moveTo(active < 0 ? rows.firstSeen() : active + 1);
  const before = () => moveTo(active < 0 ? rows.firstSeen() : active - 1);
  useHotkeys([
    ["j", next],
    ["k", before],
  ]);

  function onKeyDown(event: KeyboardEvent) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "ArrowDown") next();
    else if (event.key === "ArrowUp") before();
    else if (event.key === "Home" && log.pages.start > 0) window.scrollTo({ top: 0 });
    else if (event.key === "Home") moveTo(0);
    else if (event.key === "End") moveTo(count - 1);
    else if (event.key === "Enter") openActive();
    else return;
    event.preventDefault();
  }

  return (
    <>
      <div className={classes.news} aria-live="polite">
        {log.held > 0 && (
          <Button
            size="compact-sm"
            radius="xl"
            className={classes.pill}
            leftSection={<IconArrowUp size={14} aria-hidden />}
            onClick={() => {
              window.scrollTo({ top: 0 });
              log.setReading(false);
              grid.current?.focus({ preventScroll: true });
            }}
          >
            {log.held > mostNew ? `${number(mostNew)}+` : log.held} new
          </Button>
        )}
      </div>
      <div
        ref={grid}
        id="records"
        role="grid"
        aria-label={administrative ? "What admins did" : "What assistants did"}
        aria-rowcount={hasNextPage ? -1 : count + 1}
        aria-busy={isFetching}
        aria-activedescendant={rows.items.some((item) => item.index === active) ? `row-${active}` : undefined}
        aria-describedby="records-keys"
        tabIndex={0}
        className={classes.grid}
        data-old={log.pages.query.isPlaceholderData || undefined}
        onKeyDown={onKeyDown}
      >
        <div role="row" aria-rowindex={1} className={classes.head}>
          {titles[administrative ? "acts" : "calls"].map((title) => (
            <span key={title} role="columnheader">
              {title}
            </span>
          ))}
        </div>
        <div role="rowgroup" className={classes.rows} style={{ height: rows.height }}>
          {rows.items.map(({ index, start, size }) => {
            const record = rowAt(log, index);
            return (
              // biome-ignore lint/a11y/useKeyWithClickEvents: Enter opens the active row.
              <div
                key={record?.id ?? index}
                id={`row-${index}`}
                role="row"
                aria-rowindex={index + 2}
                aria-selected={index === active}
                className={classes.row}
                style={{ height: size, transform: `translateY(${start - rows.top}px)` }}
                onClick={(event) => {
                  if (!record || event.ctrlKey || event.metaKey || event.shiftKey) return;
                  event.preventDefault();
                  choose(record.id);
                  onOpen(record.id);
                  grid.current?.focus({ preventScroll: true });
                }}
              >
                {record ? <Cells record={record} to={linkTo(record.id)} /> : <CellsToCome />}
              </div>
            );
          })}
        </div>
      </div>
      <VisuallyHidden id="records-keys">
        Arrows, or J and K, move through the records, Enter opens one, Escape closes it, / goes to the search.
      </VisuallyHidden>
    </>
  );
}

/** Asks for the pages that are about to be seen. */
function useWanted(log: Records, items: { index: number }[]) {
  const { hasNextPage, hasPreviousPage, isFetching, isError, fetchNextPage, fetchPreviousPage } = log.pages.query;
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;
  const down = hasNextPage && last > rowCount(log) - 50;
  const up = hasPreviousPage && first < log.added + log.pages.start;
  useEffect(() => {
    if (isFetching || isError) return;
    if (up) void fetchPreviousPage();
    else if (down) void fetchNextPage();
  }, [up, down, isFetching, isError, fetchNextPage, fetchPreviousPage]);
}

/** Tells whether somebody reads further down. */
function useReading(log: Records, top: number) {
  const tell = useEffectEvent(() => log.setReading(window.scrollY > top));
  useEffect(() => {
    tell();
    window.addEventListener("scroll", tell, { passive: true });
    return () => window.removeEventListener("scroll", tell);
  }, []);
}
