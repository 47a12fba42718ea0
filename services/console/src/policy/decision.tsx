import { Text } from "@mantine/core";
import { useEffect, useRef } from "react";
import type { ExplainDecisionResponse, RuleStep } from "../gen/sallyport/admin/v1/trial_service_pb";
import classes from "./decision.module.css";

/** What would be decided about a call, what is known of who and what it is, and how each rule was read. */
export function Decision({ answer }: { answer: ExplainDecisionResponse }) {
  const { decision, user, client, operation, verbs, steps, groupsKnown } = answer;
  const allowed = decision?.effect === "allowed";
  const groups = user?.groups.length ? `in ${user.groups.join(", ")}` : "in no group";
  const means = [
    operation?.outer && `called through ${operation.outer}`,
    operation?.product ? `product ${operation.product}` : "no product",
    verbs.length > 0 ? `verb ${verbs.join(" and ")}` : "no verb that is known",
    operation?.actions.length ? `family ${operation.actions.join(" and ")}` : "",
  ];
  const section = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each answer is to be seen.
  useEffect(() => section.current?.scrollIntoView({ block: "nearest" }), [answer]);
  const passed = steps.filter((step) => !step.matches);
  return (
    <section aria-label="Decision" ref={section}>
      <p className={classes.answer}>
        <b data-effect={allowed ? "allow" : "deny"}>{allowed ? "Allowed" : "Blocked"}</b>
        <br />
        {answer.summary}
      </p>
      <dl className={classes.facts}>
        <dt>Person</dt>
        <dd>
          {user?.email || user?.id || "nobody in particular"};{" "}
          {groupsKnown ? groups : "groups unknown: a deny rule for a group matches, an allow rule doesn't"}
        </dd>
        <dt>AI client</dt>
        <dd>
          {client?.key}, {client?.class}
        </dd>
        <dt>Operation</dt>
        <dd>
          {operation?.name}; {means.filter(Boolean).join("; ")}
        </dd>
      </dl>
      <Text size="sm" fw={550} mb={4}>
        Why
      </Text>
      <Steps steps={steps.filter((step) => step.matches)} />
      {decision?.ruleNumber === 0 && <p className={classes.last}>No rule decides, so the default does.</p>}
      {passed.length > 0 && (
        <details className={classes.passed}>
          <summary>
            {passed.length === 1 ? "1 rule on the way doesn't match" : `${passed.length} rules on the way don't match`}
          </summary>
          <Steps steps={passed} />
        </details>
      )}
    </section>
  );
}

function Steps({ steps }: { steps: RuleStep[] }) {
  return (
    <ul className={classes.steps}>
      {steps.map((step) => (
        <li key={step.ruleNumber} data-decides={step.decides || undefined}>
          <b>
            Rule {step.ruleNumber}
            {step.decides ? ", which decides" : step.matches ? ", which only monitors" : ""}:
          </b>{" "}
          {step.reason}
        </li>
      ))}
    </ul>
  );
}
