import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { useTransport } from "@connectrpc/connect-query";
import { useEffect, useEffectEvent, useState } from "react";
import type { Record as LogRecord } from "../gen/sallyport/activity/v1/record_pb";
import { ActivityService, type SearchActivityRequestSchema } from "../gen/sallyport/admin/v1/activity_service_pb";

type Search = MessageInitShape<typeof SearchActivityRequestSchema>;

/** What is answered where a tail can't go on from its cursor: it is too far behind, or one's role is another now. */
const begunAnew = [Code.OutOfRange, Code.PermissionDenied, Code.InvalidArgument];

/** How a tail is: off, on, or on its way to be so again. */
export type TailState = "off" | "on" | "connecting";

type Taken = {
  /** It is listening: what is recorded from now on will come. */
  onBegin: () => void;
  /** Records came, oldest first. */
  onRecords: (records: LogRecord[]) => void;
  /** It was cut, and what came meanwhile isn't known: ask for everything anew. */
  onCut: () => void;
};

/** How long to wait before a tail that broke goes on, at first and at most, in milliseconds. */
const [again, atMost] = [1_000, 15_000];

/** Follows what is recorded of a search, from now on. Where it breaks it goes on from where it was. */
export function useTail(search: Search, on: boolean, taken: Taken): TailState {
  const transport = useTransport();
  const [connected, setConnected] = useState(false);
  const begin = useEffectEvent(() => taken.onBegin());
  const take = useEffectEvent((records: LogRecord[]) => taken.onRecords(records));
  const cut = useEffectEvent(() => taken.onCut());

  useEffect(() => {
    if (!on) return;
    const stop = new AbortController();
    const client = createClient(ActivityService, transport);
    const { since: _, ...followed } = search;
    let cursor = "";
    let failures = 0;

    async function once() {
      for await (const message of client.tailActivity({ search: followed, cursor }, { signal: stop.signal })) {
        setConnected(true);
        failures = 0;
        if (!cursor) begin();
        cursor = message.cursor;
        if (message.records.length > 0) take(message.records);
      }
    }

    async function follow() {
      while (!stop.signal.aborted) {
        const error = await once().then(() => undefined, ConnectError.from);
        if (stop.signal.aborted) return;
        setConnected(false);
        if (error && cursor !== "" && begunAnew.includes(error.code)) {
          cursor = "";
          cut();
        }
        await wait(Math.min(again * 2 ** failures++, atMost), stop.signal);
      }
    }
    void follow();
    return () => {
      stop.abort();
      setConnected(false);
    };
  }, [search, on, transport]);

  if (!on) return "off";
  return connected ? "on" : "connecting";
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      done();
    });
  });
}
