import { Tooltip } from "@mantine/core";
import type { Client } from "../gen/sallyport/activity/v1/record_pb";
import { State, type Tone } from "../parts/state";

/** How sure it is which assistant a client is. */
export const meanings: Record<string, { tone: Tone; meaning: string }> = {
  verified: {
    tone: "good",
    meaning: "Sign-ins can only be delivered to the vendor's own host, whatever the assistant calls itself.",
  },
  claimed: {
    tone: "unknown",
    meaning: "It is an app on the person's machine, and any app there can take that name.",
  },
  unknown: {
    tone: "attention",
    meaning: "Sign-ins are delivered to a host of no vendor that Sallyport knows.",
  },
};

/** How sure it is which assistant that is, and a warning where it contradicts itself. */
export function Sure({ client }: { client: Client }) {
  const known = meanings[client.class];
  if (client.mismatch) {
    return (
      <Tooltip label={`It registered as ${client.name}, and calls itself ${client.info}.`} multiline maw={320}>
        <span>
          <State tone="bad">{client.class}, calls itself otherwise</State>
        </span>
      </Tooltip>
    );
  }
  return <State tone={known?.tone ?? "unknown"}>{client.class}</State>;
}
