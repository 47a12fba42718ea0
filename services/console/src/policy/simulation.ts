import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { useTransport } from "@connectrpc/connect-query";
import { useEffect, useState } from "react";
import {
  type SimulationProgress,
  type SimulationResult,
  TrialService,
} from "../gen/sallyport/admin/v1/trial_service_pb";
import type { Policy } from "../gen/sallyport/policy/v1/policy_pb";

const days = 7;

export type Simulation = {
  progress?: SimulationProgress;
  result?: SimulationResult;
  error?: unknown;
  again: () => void;
};

/** Has the recorded calls of the last 7 days decided again by a policy. */
export function useSimulation(policy: Policy): Simulation {
  const transport = useTransport();
  const [state, setState] = useState<Omit<Simulation, "again">>({});
  const [attempt, setAttempt] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt begins anew.
  useEffect(() => {
    const stop = new AbortController();
    const run = async () => {
      const since = timestampFromDate(new Date(Date.now() - days * 24 * 3600_000));
      const request = { policy: { source: { case: "draft" as const, value: policy } }, since, maxRecords: 20 };
      let ended = false;
      for await (const { answer } of createClient(TrialService, transport).simulatePolicy(request, {
        signal: stop.signal,
      })) {
        if (answer.case === "progress") setState({ progress: answer.value });
        if (answer.case === "result") setState({ result: answer.value });
        ended = answer.case === "result";
      }
      if (!ended) throw new Error("The simulation ended without a result.");
    };
    setState({});
    run().catch((error: unknown) => {
      if (!stop.signal.aborted) setState({ error });
    });
    return () => stop.abort();
  }, [policy, transport, attempt]);
  return { ...state, again: () => setAttempt((attempt) => attempt + 1) };
}
