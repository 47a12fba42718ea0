import { Burger, Drawer, Loader } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useEffect } from "react";
import { Outlet, useLocation, useNavigation } from "react-router";
import { signedOut } from "../api/problem";
import { SessionContext, useGetSession } from "../api/session";
import { Role } from "../gen/sallyport/admin/v1/access_pb";
import { Problem } from "../parts/problem";
import { Navigation } from "./navigation";
import { NoRole } from "./norole";
import classes from "./shell.module.css";
import { SignIn } from "./signin";

/** What is around each page: navigation beside it, or above it where it is narrow, and signing in before all. */
export function Shell() {
  const { data: session, error, refetch } = useGetSession();
  const [opened, menu] = useDisclosure(false);
  const { pathname } = useLocation();
  const loading = useNavigation().state === "loading";

  // biome-ignore lint/correctness/useExhaustiveDependencies: another page was chosen, so the menu has served.
  useEffect(menu.close, [pathname]);

  if (signedOut(error)) return <SignIn ended={session !== undefined} />;
  if (error && !session) {
    return (
      <main className={classes.alone}>
        <Problem error={error} onRetry={refetch} />
      </main>
    );
  }
  if (!session) {
    return (
      <main className={classes.alone} aria-busy="true">
        <Loader aria-label="Loading" />
      </main>
    );
  }
  if (session.role === Role.UNSPECIFIED) return <NoRole session={session} />;

  return (
    <SessionContext value={session}>
      <a className={classes.skip} href="#page">
        Skip to the page
      </a>
      <div className={classes.shell}>
        <nav className={classes.bar} aria-label="Menu">
          <Burger size="sm" opened={opened} onClick={menu.toggle} aria-label="Menu" />
          <span className={classes.brand}>Sallyport</span>
        </nav>
        <aside className={classes.side}>
          <Navigation />
        </aside>
        <Drawer opened={opened} onClose={menu.close} size="17rem" title="Menu">
          <Navigation />
        </Drawer>
        <main id="page" className={classes.page} tabIndex={-1} aria-busy={loading}>
          <Outlet />
        </main>
      </div>
    </SessionContext>
  );
}
