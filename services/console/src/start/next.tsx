import { Text } from "@mantine/core";
import { To } from "../parts/to";

/** Where to go from here. */
export function Next() {
  return (
    <Text size="sm">
      It works. Next, set your rules in the <To path="/policy">access policy</To> and watch what assistants do in the{" "}
      <To path="/log">activity log</To>.
    </Text>
  );
}
