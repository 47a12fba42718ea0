import { durationMs } from "@bufbuild/protobuf/wkt";
import { Skeleton, Text } from "@mantine/core";
import { type GetStatusResponse, type Part, PartState } from "../gen/sallyport/admin/v1/status_service_pb";
import { number } from "../parts/amounts";
import { Problem } from "../parts/problem";
import { Prose } from "../parts/prose";
import classes from "./health.module.css";
import { Section } from "./section";
import { State } from "./state";
import { useStatus } from "./status";

/** How each part of Sallyport is, and how far the index is behind. */
export function Health() {
  const { data, error, refetch } = useStatus();
  return (
    <Section id="health" title="Health" lead="Each part of Sallyport, asked every ten seconds.">
      {error && <Problem error={error} onRetry={refetch} />}
      {data ? <Parts status={data} /> : !error && <Skeleton h={280} />}
    </Section>
  );
}

const states = {
  [PartState.UNSPECIFIED]: { tone: "unknown", word: "Unknown" },
  [PartState.READY]: { tone: "good", word: "Ready" },
  [PartState.DEGRADED]: { tone: "attention", word: "Degraded" },
  [PartState.DOWN]: { tone: "bad", word: "Down" },
} as const;

const names: Record<string, string> = {
  envoy: "Envoy",
  redis: "Redis",
  elasticsearch: "Elasticsearch",
  sink: "Record sink",
  alerts: "Alert rules",
  webhook: "Alert webhook",
};

function Parts({ status }: { status: GetStatusResponse }) {
  return (
    <>
      <dl className={classes.parts} aria-live="polite">
        {status.parts.map((part) => (
          <Line key={part.name} part={part} />
        ))}
      </dl>
      <dl className={classes.parts}>
        <div>
          <dt>Index</dt>
          <dd>
            <State tone={status.waiting > 0n ? "unknown" : "good"}>
              {status.waiting > 0n ? "Behind" : "Up to date"}
            </State>
            <Text size="sm" c="dimmed">
              {behind(status)}
            </Text>
          </dd>
        </div>
      </dl>
    </>
  );
}

function Line({ part }: { part: Part }) {
  const { tone, word } = states[part.state];
  return (
    <div>
      <dt>{names[part.name] ?? part.name}</dt>
      <dd>
        <State tone={tone}>{word}</State>
        {part.detail && (
          <Text size="sm" c="dimmed">
            <Prose>{part.detail}</Prose>
          </Text>
        )}
      </dd>
    </div>
  );
}

function behind({ waiting, behind }: GetStatusResponse): string {
  if (waiting === 0n) return "Everything that was recorded can be found.";
  const seconds = behind ? Math.ceil(durationMs(behind) / 1000) : 0;
  const entries = waiting === 1n ? "1 entry waits" : `${number(waiting)} entries wait`;
  return `${entries} to be indexed, the oldest for ${number(seconds)} s. Nothing is lost meanwhile.`;
}
