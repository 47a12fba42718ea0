import { List } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./steps.module.css";

/** What somebody has to do, one after the other: list items. */
export function Steps({ children }: { children: ReactNode }) {
  return (
    <List type="ordered" size="sm" spacing="sm" classNames={{ itemWrapper: classes.wrapper, itemLabel: classes.label }}>
      {children}
    </List>
  );
}
