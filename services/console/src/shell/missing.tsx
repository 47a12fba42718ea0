import { Anchor, Text } from "@mantine/core";
import { Link } from "react-router";
import { Page } from "../parts/page";

/** What is at an address that no page has. */
export function Missing() {
  return (
    <Page title="There is no such page">
      <Text>
        The address may be mistyped.{" "}
        <Anchor component={Link} to="/">
          Go to Getting started
        </Anchor>
        , or choose a page beside.
      </Text>
    </Page>
  );
}
