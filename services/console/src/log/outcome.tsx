import { durationMs } from "@bufbuild/protobuf/wkt";
import { Text } from "@mantine/core";
import type { Record as LogRecord, Outcome } from "../gen/sallyport/activity/v1/record_pb";
import { bytes, span } from "../parts/amounts";
import { Fact, Facts, Section } from "./facts";
import classes from "./facts.module.css";
import { Sign } from "./sign";
import { outcomeWords, unknownWords } from "./words";

/** What became of a call: how it ended, its sizes, and whose part of the time was whose. */
export function OutcomeSection({ record }: { record: LogRecord }) {
  const outcome = record.outcome;
  const { tone, text } = outcomeWords(outcome);
  const blocked = record.decision?.effect === "blocked";
  return (
    <Section title="Result">
      <Facts>
        <Fact name="Status">
          <Sign tone={tone}>{text}</Sign>
          {blocked && <Text size="sm">Nothing of it reached Atlassian: Sallyport answered.</Text>}
          {outcome?.reason && <Text size="sm">{unknownWords[outcome.reason] ?? outcome.reason}</Text>}
        </Fact>
        {blocked && outcome && outcome.statusCode > 0 && <Fact name="HTTP status">{outcome.statusCode}</Fact>}
        <Fact name="Error code">{outcome?.errorCode && `JSON-RPC error ${outcome.errorCode}`}</Fact>
        <Fact name="Request">{bytes(record.requestBytes)}</Fact>
        <Fact name="Answer">{outcome && outcome.statusCode > 0 && bytes(outcome.responseBytes)}</Fact>
        <Fact name="Latency">{outcome?.duration && <Latency outcome={outcome} />}</Fact>
      </Facts>
    </Section>
  );
}

function Latency({ outcome }: { outcome: Outcome }) {
  if (!outcome.duration) return null;
  const all = durationMs(outcome.duration);
  const theirs = outcome.upstreamLatency ? durationMs(outcome.upstreamLatency) : 0;
  return (
    <>
      {span(all)}
      <div className={classes.bar} aria-hidden>
        <span className={classes.theirs} style={{ width: `${all > 0 ? (theirs / all) * 100 : 0}%` }} />
      </div>
      <Text size="xs" c="dimmed">
        {outcome.upstreamLatency ? `Atlassian ${span(theirs)}` : "None of it at Atlassian"}
        {outcome.ownLatency && ` · Sallyport and the way to the assistant ${span(durationMs(outcome.ownLatency))}`}
      </Text>
    </>
  );
}
