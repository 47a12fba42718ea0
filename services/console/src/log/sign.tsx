import { IconAlertTriangle, IconBan, IconCheck, IconCircleDashed } from "@tabler/icons-react";
import type { ReactNode } from "react";
import classes from "./sign.module.css";
import type { Tone } from "./words";

const icons = { good: IconCheck, bad: IconBan, odd: IconAlertTriangle, quiet: IconCircleDashed };

/** Words with the sign and colour of how good that is. */
export function Sign({ tone, children }: { tone: Tone; children: ReactNode }) {
  const Icon = icons[tone];
  return (
    <span className={classes.sign}>
      <Icon className={classes[tone]} size={15} stroke={2} aria-hidden />
      <span className={classes.text}>{children}</span>
    </span>
  );
}
