import { Code } from "@mantine/core";
import { Fragment } from "react";

/** A text of the API's, in which a command between backticks is shown as one. */
export function Prose({ children }: { children: string }) {
  // The parts are those of one text, in their order.
  return children.split("`").map((part, i) => {
    const key = `${i}${part}`;
    return i % 2 === 1 ? <Code key={key}>{part}</Code> : <Fragment key={key}>{part}</Fragment>;
  });
}
