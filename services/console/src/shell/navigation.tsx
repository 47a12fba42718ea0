import { NavLink as Item, Stack } from "@mantine/core";
import {
  IconChartBar,
  IconList,
  IconPlugConnected,
  IconRocket,
  IconSettings,
  IconShieldCheck,
} from "@tabler/icons-react";
import { NavLink, useMatch } from "react-router";
import { Account } from "./account";
import classes from "./navigation.module.css";

const pages = [
  { to: "/", label: "Getting started", icon: IconRocket },
  { to: "/policy", label: "Access policy", icon: IconShieldCheck },
  { to: "/log", label: "Activity log", icon: IconList },
  { to: "/dashboard", label: "Dashboard", icon: IconChartBar },
  { to: "/connections", label: "Connections", icon: IconPlugConnected },
  { to: "/settings", label: "Settings", icon: IconSettings },
];

/** The way to each page, and who is signed in. */
export function Navigation() {
  return (
    <Stack justify="space-between" h="100%" gap="lg">
      <nav aria-label="Pages">
        <p className={classes.brand}>Sallyport</p>
        {pages.map((page) => (
          <Page key={page.to} {...page} />
        ))}
      </nav>
      <Account />
    </Stack>
  );
}

function Page({ to, label, icon: Icon }: (typeof pages)[number]) {
  const match = useMatch({ path: to, end: to === "/" });
  return (
    <Item
      component={NavLink}
      to={to}
      label={label}
      leftSection={<Icon size={18} stroke={1.6} aria-hidden />}
      active={match !== null}
      variant="light"
      className={classes.item}
    />
  );
}
