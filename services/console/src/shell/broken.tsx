import { Button, Text } from "@mantine/core";
import { useRouteError } from "react-router";
import { Page } from "../parts/page";

/** What is shown where a page fails by a mistake of its own, or couldn't be loaded. */
export function Broken() {
  const error = useRouteError();
  return (
    <Page title="This page can't be shown">
      <Text mb="md">
        Sallyport may have been updated since you opened it, or be away: load the page again. If that doesn't help, tell
        your admin what it says here: {error instanceof Error ? error.message : String(error)}
      </Text>
      <Button onClick={() => window.location.reload()}>Load again</Button>
    </Page>
  );
}
