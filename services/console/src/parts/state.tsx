import { Badge } from "@mantine/core";
import type { ReactNode } from "react";

/** How good a state is: as it should be, to be looked at, wrong, or not known. */
export type Tone = "good" | "attention" | "bad" | "unknown";

const colors: Record<Tone, string> = { good: "teal", attention: "orange", bad: "red", unknown: "gray" };

/** A state in a word or two, with a dot of its colour. The word says it all, for who doesn't see colours. */
export function State({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <Badge variant="dot" color={colors[tone]} size="md" tt="none" fw={500}>
      {children}
    </Badge>
  );
}
