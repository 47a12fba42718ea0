import { Button, Text, Title } from "@mantine/core";
import { useLocation } from "react-router";
import classes from "./shell.module.css";

/** What somebody sees who isn't signed in. Signing in comes back to the page that was asked for. */
export function SignIn({ ended }: { ended: boolean }) {
  const { pathname, search } = useLocation();
  const back = new URLSearchParams({ return: pathname + search });
  return (
    <main className={classes.alone}>
      <div className={classes.card}>
        <Text fw={650} mb="md">
          Sallyport
        </Text>
        <Title order={1} mb="xs">
          {ended ? "You are signed out" : "Sign in"}
        </Title>
        <Text mb="lg">
          {ended
            ? "Your session has ended: 8 hours have passed, or somebody ended it. Sign in again to go on where you were."
            : "Sign in with your Atlassian account to administer Sallyport. What you may do is decided by the roles that its admins give."}
        </Text>
        <Button component="a" href={`/signin?${back}`}>
          Sign in with Atlassian
        </Button>
      </div>
    </main>
  );
}
