import { Anchor } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";

/** A link within a text: to a page of the console by its path, or elsewhere, in a tab of its own, by its URL. */
export function To({ path, children }: { path: string; children: ReactNode }) {
  if (path.startsWith("https://")) {
    return (
      <Anchor href={path} target="_blank" rel="noreferrer" inherit underline="always">
        {children}
      </Anchor>
    );
  }
  return (
    <Anchor component={Link} to={path} inherit underline="always">
      {children}
    </Anchor>
  );
}
