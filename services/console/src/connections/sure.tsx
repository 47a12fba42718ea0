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

/** How sure it is which assistant that is; its meaning when one hovers or focuses it. */
export function Sure({ client }: { client: Client }) {
  const known = meanings[client.class];
  const tone = client.mismatch ? "bad" : (known?.tone ?? "unknown");
  return (
    <Tooltip
      label={known?.meaning}
      disabled={!known}
      multiline
      maw={320}
      events={{ hover: true, focus: true, touch: true }}
    >
      <span>
        <State tone={tone}>{client.class}</State>
      </span>
    </Tooltip>
  );
}
