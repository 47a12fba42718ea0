import { useQuery } from "@connectrpc/connect-query";
import {
  type GetStatusResponse,
  type SetupItem,
  SetupState,
  StatusService,
} from "../gen/sallyport/admin/v1/status_service_pb";
import type { Tone } from "../parts/state";

// In milliseconds: often while somebody waits for it to change, and now and then after.
const soon = 3_000;
const later = 20_000;

/** Asks how far the set-up is, again and again, so that what was done at Atlassian shows by itself. */
export function useSetup() {
  return useQuery(
    StatusService.method.getStatus,
    {},
    {
      refetchInterval: ({ state }) => (state.data && setupDone(state.data, "rovo_domain") ? later : soon),
      refetchOnWindowFocus: "always",
    },
  );
}

/** An item of the set-up by its name. */
export function setupItem(status: GetStatusResponse, name: string): SetupItem | undefined {
  return status.setup.find((item) => item.name === name);
}

/** Says whether nothing is to be done for an item. */
export function setupDone(status: GetStatusResponse, name: string): boolean {
  return setupItem(status, name)?.state === SetupState.DONE;
}

// The items of which another word than the usual one says it better, as the command line has them.
const words: Record<string, Partial<Record<SetupState, string>>> = {
  public_url: { [SetupState.ACTION_NEEDED]: "Needs setup" },
  rovo_domain: { [SetupState.DONE]: "Allowed" },
  ip_allowlist: { [SetupState.DONE]: "Allowed" },
};

const usual: Record<SetupState, string> = {
  [SetupState.UNSPECIFIED]: "Unknown",
  [SetupState.DONE]: "Done",
  [SetupState.ACTION_NEEDED]: "Action needed",
  [SetupState.UNKNOWN]: "Unknown",
};

/** Whether an item is there, in a word or two. */
export function setupWord(item: SetupItem): string {
  return words[item.name]?.[item.state] ?? usual[item.state];
}

const tones: Record<SetupState, Tone> = {
  [SetupState.UNSPECIFIED]: "unknown",
  [SetupState.DONE]: "good",
  [SetupState.ACTION_NEEDED]: "attention",
  [SetupState.UNKNOWN]: "unknown",
};

/** How good it is that an item is as it is. */
export function setupTone(item: SetupItem): Tone {
  return tones[item.state];
}
