import { Accordion, Skeleton, Stack } from "@mantine/core";
import { useState } from "react";
import { type GetStatusResponse, SetupState } from "../gen/sallyport/admin/v1/status_service_pb";
import { Page } from "../parts/page";
import { Problem } from "../parts/problem";
import { Address } from "./address";
import { useArrivals } from "./arrivals";
import { Assistants } from "./assistants";
import { Check } from "./check";
import { Domain } from "./domain";
import { Next } from "./next";
import { Rest, restOf } from "./rest";
import { setupDone, setupItem, setupTone, setupWord, useSetup } from "./setup";
import { Step } from "./step";
import { Troubleshooting } from "./troubleshooting";

/** Getting started: from nothing to the first call. */
export function Start() {
  const { data: status, error, refetch } = useSetup();
  const arrivals = useArrivals();
  const loaded = status && !arrivals.connections.isPending && !arrivals.calls.isPending;
  return (
    <Page title="Getting started" lead="Four steps from here to assistants that work by your rules.">
      <Stack maw="46rem" gap="xl">
        {error && <Problem error={error} onRetry={refetch} />}
        {loaded ? <Steps status={status} arrivals={arrivals} /> : !error && <Loading />}
        {(loaded || error) && <Troubleshooting url={status?.mcpUrl} />}
      </Stack>
    </Page>
  );
}

function Steps({ status, arrivals }: { status: GetStatusResponse; arrivals: ReturnType<typeof useArrivals> }) {
  const domain = setupItem(status, "rovo_domain");
  const rest = restOf(status);
  const needed = rest.filter(({ state }) => state === SetupState.ACTION_NEEDED).length;
  const unknown = rest.filter(({ state }) => state === SetupState.UNKNOWN).length;
  const connected = Boolean(arrivals.connections.data);
  const called = Boolean(arrivals.calls.data);
  const done: Record<string, boolean> = {
    domain: setupDone(status, "rovo_domain"),
    assistant: connected,
    check: connected && called,
    rest: needed === 0,
  };
  // What arrived stays to be seen until the page is opened anew.
  const [checked] = useState(done.check);
  // Steps that are done are closed, until somebody opens them.
  const [touched, setTouched] = useState<Record<string, boolean>>({});
  const open = Object.keys(done).filter((id) => touched[id] ?? !(id === "check" ? checked : done[id]));
  const onChange = (now: string[]) =>
    setTouched((before) => {
      const changed = Object.keys(done).filter((id) => now.includes(id) !== open.includes(id));
      return { ...before, ...Object.fromEntries(changed.map((id) => [id, now.includes(id)])) };
    });
  const domainWord = domain ? setupWord(domain) : "Unknown";
  const checkWord = done.check ? "Working" : connected ? "Waiting for a call" : "Waiting for a sign-in";
  return (
    <>
      <Address status={status} />
      <Accordion multiple order={2} variant="separated" value={open} onChange={onChange}>
        <Step
          id="domain"
          number={1}
          title="Allow this domain in Rovo"
          done={Boolean(done.domain)}
          tone={domain ? setupTone(domain) : "unknown"}
          word={domainWord}
        >
          <Domain status={status} />
        </Step>
        <Step
          id="assistant"
          number={2}
          title="Add it to Claude"
          done={connected}
          tone={connected ? "good" : "unknown"}
          word={connected ? "Connected" : "Not yet"}
        >
          <Assistants url={status.mcpUrl} />
        </Step>
        <Step
          id="check"
          number={3}
          title="See the first call"
          done={Boolean(done.check)}
          tone={done.check ? "good" : "unknown"}
          word={checkWord}
        >
          <Check arrivals={arrivals} />
        </Step>
        <Step
          id="rest"
          number={4}
          title="Complete the set-up"
          done={Boolean(done.rest)}
          tone={needed ? "attention" : unknown ? "unknown" : "good"}
          word={needed ? `${needed} to do` : unknown ? `${unknown} to look at yourself` : "Done"}
        >
          <Rest status={status} />
        </Step>
      </Accordion>
      <p className="unseen" role="status">
        Allow this domain in Rovo: {domainWord}. See the first call: {checkWord}.
      </p>
      {done.check && <Next />}
    </>
  );
}

/** As large as what comes. */
function Loading() {
  return (
    <Stack gap="md" aria-busy="true">
      <Skeleton h={24} w="12rem" />
      <Skeleton h={38} />
      <Skeleton h={40} />
      {["domain", "assistant", "check", "rest"].map((step) => (
        <Skeleton key={step} h={56} />
      ))}
    </Stack>
  );
}
