import { Button, Code, Text, Title } from "@mantine/core";
import type { GetSessionResponse } from "../gen/sallyport/admin/v1/session_service_pb";
import classes from "./shell.module.css";

/** What somebody sees whom nobody gave a role. */
export function NoRole({ session }: { session: GetSessionResponse }) {
  return (
    <main className={classes.alone}>
      <div className={classes.card}>
        <Title order={1} mb="xs">
          You have no role here
        </Title>
        <Text mb="sm">
          You are signed in as {session.displayName || session.name}. Ask an admin of Sallyport to give you one: under
          Settings, or on the command line by
        </Text>
        <Code block mb="lg">
          sallyport roles add viewer {session.name}
        </Code>
        <form method="post" action="/signout">
          <Button type="submit" variant="default">
            Sign out
          </Button>
        </form>
      </div>
    </main>
  );
}
