import type { ReactNode } from "react";
import classes from "./wide.module.css";

/** A table that scrolls by itself where the page is narrower. */
export function Wide({ label, children }: { label: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard.
    <section className={classes.wide} tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}
