import { Anchor, Text } from "@mantine/core";
import { Link } from "react-router";

/** Where to go from here. */
export function Next() {
  return (
    <Text size="sm">
      It works. Next, set your rules in the{" "}
      <Anchor component={Link} to="/policy" inherit>
        access policy
      </Anchor>{" "}
      and watch what assistants do in the{" "}
      <Anchor component={Link} to="/log" inherit>
        activity log
      </Anchor>
      .
    </Text>
  );
}
