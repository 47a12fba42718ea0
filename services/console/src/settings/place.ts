import { useEffect, useRef } from "react";

/**
 * Keeps one's place in a list of so many entries that go by a button of theirs, which has data-place: the focus goes
 * to the one that is in its place then, and after the last to what is there instead, by its id. Call stay as the button
 * is pressed.
 */
export function usePlace<List extends HTMLElement>(entries: number, instead?: string) {
  const list = useRef<List>(null);
  const pressed = useRef(-1);
  // biome-ignore lint/correctness/useExhaustiveDependencies: when there are more or fewer, the button may be gone.
  useEffect(() => {
    if (document.activeElement !== document.body || pressed.current < 0) return;
    const buttons = list.current?.querySelectorAll<HTMLButtonElement>("[data-place]") ?? [];
    const next = buttons[Math.min(pressed.current, buttons.length - 1)];
    (next ?? document.getElementById(instead ?? ""))?.focus();
    pressed.current = -1;
  }, [entries]);
  return {
    list,
    stay: (index: number) => {
      pressed.current = index;
    },
  };
}
