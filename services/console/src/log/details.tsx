import type { JsonObject } from "@bufbuild/protobuf";
import { Badge, Group, Text } from "@mantine/core";
import type { Record as LogRecord } from "../gen/sallyport/activity/v1/record_pb";
import type { DecidingPolicy } from "../gen/sallyport/admin/v1/activity_service_pb";
import { DecisionSection } from "./decision";
import { Fact, Facts, Section } from "./facts";
import classes from "./facts.module.css";
import { CopyText, indented, Recorded } from "./json";
import { OutcomeSection } from "./outcome";
import { Sign } from "./sign";
import { actWords, callerWords, clientName, personName } from "./words";

type Props = { record: LogRecord; policy: DecidingPolicy | undefined };

/** All that was recorded of a call or an act. */
export function Details({ record, policy }: Props) {
  if (record.act) return <ActDetails record={record} />;
  return (
    <>
      <DecisionSection record={record} policy={policy} />
      <PersonSection record={record} />
      <CallSection record={record} />
      <ArgumentsSection record={record} />
      <OutcomeSection record={record} />
      <Traces record={record} />
    </>
  );
}

function PersonSection({ record: { user, decision } }: { record: LogRecord }) {
  return (
    <Section title="Person">
      <Facts>
        <Fact name="Name">{personName(user)}</Fact>
        <Fact name="E-mail">{user?.email}</Fact>
        <Fact name="Account id">{user?.id && <span className={classes.id}>{user.id}</span>}</Fact>
        <Fact name="Groups then">
          {decision?.groupsUnknown ? (
            "Not known: Jira couldn't be asked."
          ) : user?.groups.length ? (
            <Group gap={4}>
              {user.groups.map((group) => (
                <Badge key={group} variant="default" size="sm" tt="none" fw={450}>
                  {group}
                </Badge>
              ))}
            </Group>
          ) : (
            "None"
          )}
        </Fact>
      </Facts>
    </Section>
  );
}

const sure: { [name: string]: string } = {
  verified: "verified: it can be no other",
  claimed: "claimed: it says so itself",
  unknown: "unknown",
};

function CallSection({ record }: { record: LogRecord }) {
  const { client, operation } = record;
  return (
    <Section title="Call">
      <Facts>
        <Fact name="Assistant">
          {clientName(record)}
          {client?.class && <Text size="xs">Identity {sure[client.class] ?? client.class}</Text>}
          {client?.info && (
            <Text size="xs">
              Calls itself {client.info}
              {client.mismatch && ", which is another assistant than it registered as"}
            </Text>
          )}
        </Fact>
        <Fact name="Operation">
          {operation?.name}
          {operation?.outer && <Text size="xs">inside a call of {operation.outer}</Text>}
        </Fact>
        <Fact name="Product">{operation?.product}</Fact>
        <Fact name="Family">{operation?.actions.join(", ")}</Fact>
        <Fact name="Site">{record.site}</Fact>
        <Fact name="From">{[record.sourceIp, record.userAgent].filter(Boolean).join(", ")}</Fact>
      </Facts>
    </Section>
  );
}

function ArgumentsSection({ record }: { record: LogRecord }) {
  const has = record.arguments && Object.keys(record.arguments as JsonObject).length > 0;
  const text = has ? indented(record.arguments) : record.unreadableBody;
  return (
    <Section title="Arguments" actions={text && <CopyText value={text} what="the arguments" />}>
      {!has && record.unreadableBody && (
        <Text size="sm" mb={4}>
          The body couldn't be read as MCP. It was:
        </Text>
      )}
      {text ? (
        <Recorded text={text} label="Arguments" />
      ) : (
        <Text size="sm" c="dimmed">
          {record.argumentsWithheld
            ? "Withheld: you are a viewer, and an auditor may see them."
            : "It was called without any."}
        </Text>
      )}
    </Section>
  );
}

function Traces({ record }: { record: LogRecord }) {
  const ids = [
    ["Record", record.id],
    ["Trace", record.traceId],
    ["atl-traceid", record.upstreamTraceId],
    ["atl-request-id", record.upstreamRequestId],
    ["Session", record.mcpSession],
  ] as const;
  return (
    <Section title="Ids">
      <Facts>
        {ids.map(([name, id]) => (
          <Fact key={name} name={name}>
            {id && <span className={classes.id}>{id}</span>}
          </Fact>
        ))}
      </Facts>
    </Section>
  );
}

function ActDetails({ record }: { record: LogRecord }) {
  const act = record.act;
  if (!act) return null;
  const result = actWords(act);
  return (
    <>
      <Section title="Act">
        <Facts>
          <Fact name="Who">{personName(record.user)}</Fact>
          <Fact name="E-mail">{record.user?.name && record.user.email}</Fact>
          <Fact name="By">
            {callerWords[act.caller] ?? act.caller}
            {act.role && `, as ${act.role}`}
          </Fact>
          <Fact name="What">{act.action}</Fact>
          <Fact name="On">{act.targets.join(", ")}</Fact>
          <Fact name="Why">{act.reason}</Fact>
          <Fact name="Result">
            <Sign tone={result.tone}>{result.text}</Sign>
            {act.errorMessage && <Text size="sm">{act.errorMessage}</Text>}
          </Fact>
          {Object.entries(act.details).map(([name, text]) => (
            <Fact key={name} name={name.replaceAll("_", " ")}>
              {text}
            </Fact>
          ))}
          <Fact name="From">{[record.sourceIp, record.userAgent].filter(Boolean).join(", ")}</Fact>
        </Facts>
      </Section>
      <Traces record={record} />
    </>
  );
}
