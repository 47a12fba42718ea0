import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react";

/**
 * How high rows may be together, in pixels: browsers make nothing higher than 17 million (Firefox) or 33 million
 * (Chromium). What has been scrolled beyond is left out above.
 */
const highest = 12_000_000;

/** How many rows there are at least above the one that is seen, so that the pages kept are within. */
const margin = 5_000;

type Rows = {
  /** Of what they are: those of something else begin at the top. */
  of: object;
  count: number;
  /** How high one is, in pixels. */
  height: number;
};

/** The rows that are seen, and where. The page itself scrolls. */
export function useRows(grid: RefObject<HTMLDivElement | null>, { of, count, height }: Rows) {
  const top = useTop(grid);
  const [left, setLeft] = useState({ of, out: 0 });
  const out = left.of === of ? left.out : 0;
  const virtualizer = useWindowVirtualizer({
    count: count - out,
    estimateSize: () => height,
    overscan: 8,
    scrollMargin: top,
    scrollPaddingStart: 104,
    scrollPaddingEnd: 24,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: rows of another height are measured anew.
  useEffect(() => virtualizer.measure(), [height]);

  const goal = useRef<number>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once other rows are left out, what is seen stays where it is.
  useLayoutEffect(() => {
    if (goal.current !== undefined) window.scrollTo({ top: goal.current });
    goal.current = undefined;
  }, [out]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever it was scrolled.
  useLayoutEffect(() => {
    const [seen, most] = [(window.scrollY - top) / height, Math.floor(highest / height)];
    const step = Math.floor(most / 2);
    const more = seen > most - margin ? step : seen < margin ? -Math.min(step, out) : 0;
    if (more === 0) return;
    goal.current = window.scrollY - more * height;
    setLeft({ of, out: out + more });
  }, [of, out, top, height, virtualizer.scrollOffset]);

  return {
    top,
    items: virtualizer.getVirtualItems().map((item) => ({ ...item, index: item.index + out })),
    height: virtualizer.getTotalSize(),
    firstSeen: () => out + Math.max(0, Math.ceil((window.scrollY - top) / height)),
    show: (index: number) => virtualizer.scrollToIndex(Math.max(0, index - out), { align: "auto" }),
  };
}

/** Where the rows begin in the page, in pixels. */
function useTop(grid: RefObject<HTMLDivElement | null>): number {
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    const measure = () => {
      const box = grid.current?.querySelector("[role=rowgroup]")?.getBoundingClientRect();
      if (box) setTop(Math.round(box.top + window.scrollY));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, [grid]);
  return top;
}
