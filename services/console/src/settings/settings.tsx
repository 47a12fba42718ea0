import { Anchor } from "@mantine/core";
import { Page } from "../parts/page";
import { Alerts } from "./alerts";
import { Aside } from "./aside";
import { Groups } from "./groups";
import { Health } from "./health";
import { Redaction, Retention } from "./kept";
import { Roles } from "./roles";
import classes from "./settings.module.css";
import { Tokens } from "./tokens";
import { Tools } from "./tools";

const sections = [
  { id: "roles", label: "Roles" },
  { id: "tokens", label: "API tokens" },
  { id: "groups", label: "Groups" },
  { id: "tools", label: "Tools" },
  { id: "retention", label: "Retention" },
  { id: "redaction", label: "Redaction" },
  { id: "health", label: "Health" },
  { id: "aside", label: "Kept aside" },
  { id: "alerts", label: "Alerts" },
];

/** The settings: who may administer, what Sallyport knows and keeps, and how it is. */
export function SettingsPage() {
  return (
    <Page title="Settings" lead="Who may administer Sallyport, what it knows and keeps, and how it is.">
      <nav className={classes.sections} aria-label="Sections">
        {sections.map(({ id, label }) => (
          <Anchor key={id} href={`#${id}`} size="sm">
            {label}
          </Anchor>
        ))}
      </nav>
      <Roles />
      <Tokens />
      <Groups />
      <Tools />
      <Retention />
      <Redaction />
      <Health />
      <Aside />
      <Alerts />
    </Page>
  );
}
