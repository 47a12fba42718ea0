import { Anchor, Text } from "@mantine/core";
import { Link } from "react-router";
import type { Record as LogRecord } from "../gen/sallyport/activity/v1/record_pb";
import type { DecidingPolicy } from "../gen/sallyport/admin/v1/activity_service_pb";
import { Effect, type Rule } from "../gen/sallyport/policy/v1/policy_pb";
import { Time } from "../parts/time";
import { Fact, Facts, Section } from "./facts";
import { Sign } from "./sign";
import { decisionWords, refusalWords } from "./words";

/** What was decided, by which rule as it was then, of which version. */
export function DecisionSection({ record, policy }: { record: LogRecord; policy: DecidingPolicy | undefined }) {
  const decision = record.decision;
  if (!decision) return null;
  const { tone, text } = decisionWords(decision);
  return (
    <Section title="Decision">
      <Text size="sm" mb="xs" component="div">
        <Sign tone={tone}>{text}</Sign> <Why record={record} />
      </Text>
      <Facts>
        {policy?.rule && (
          <Fact name="Rule then">
            <RuleWords rule={policy.rule} />
          </Fact>
        )}
        {decision.monitorRule > 0 && (
          <Fact name="Monitoring">
            Rule {decision.monitorRule} only watches: it would{" "}
            {decision.monitorEffect === "deny" ? "have denied" : "have allowed"} this.
            {policy?.monitorRule && (
              <>
                {" "}
                <RuleWords rule={policy.monitorRule} />
              </>
            )}
          </Fact>
        )}
        {decision.policyVersion > 0n && !decision.reason && (
          <Fact name="Policy">
            <Anchor component={Link} size="sm" underline="always" to={`/policy?version=${decision.policyVersion}`}>
              Version {decision.policyVersion.toString()}
            </Anchor>
            {policy?.savedAt && (
              <>
                , saved <Time at={policy.savedAt} /> by {policy.savedBy || "an unknown person"}
                {policy.message && `: ${policy.message}`}
              </>
            )}
          </Fact>
        )}
        <Fact name="Not known">{policy?.missing}</Fact>
      </Facts>
    </Section>
  );
}

function Why({ record: { decision } }: { record: LogRecord }) {
  if (!decision) return null;
  if (decision.reason) {
    return <>without asking the policy, since the request can't be taken: {refusalWords(decision.reason)}.</>;
  }
  if (decision.ungoverned) return <>since no rule decides about this.</>;
  if (!decision.ruleNumber) return <>by default, since no rule matched.</>;
  return (
    <>
      by{" "}
      <Anchor component={Link} size="sm" underline="always" to={`/policy?rule=${encodeURIComponent(decision.ruleId)}`}>
        rule {decision.ruleNumber}
      </Anchor>
      {decision.ruleNote ? `: ${decision.ruleNote}` : "."}
    </>
  );
}

/** A rule as a sentence: who, with what, may do what. */
function RuleWords({ rule }: { rule: Rule }) {
  const client = rule.client === "" || rule.client === "*" ? "any assistant" : rule.client;
  const who = rule.who === "" || rule.who === "any" ? "anybody" : rule.who;
  const operation = rule.operation === "" || rule.operation === "*" ? "anything" : rule.operation;
  return (
    <>
      {rule.effect === Effect.DENY ? "Deny" : "Allow"} <b>{operation}</b> to <b>{who}</b> with <b>{client}</b>
      {rule.verified && ", only if its identity is verified"}.
    </>
  );
}
