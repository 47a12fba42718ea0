import type { DashboardCount, GetDashboardResponse } from "../gen/sallyport/admin/v1/dashboard_service_pb";
import { type Bar, Bars } from "./bars";
import classes from "./lists.module.css";

type Log = (filter?: Record<string, string>) => string;

/** What was called most, by whom and with what, what blocked most, and what failed. */
export function Lists({ numbers, log }: { numbers: GetDashboardResponse; log: Log }) {
  const bars = (counts: DashboardCount[], to: (key: string) => string) => counts.map((count) => barOf(count, to));
  return (
    <div className={classes.lists}>
      <Bars
        title="Tools"
        lead="Those that were called most."
        none="No tool was called."
        mixed
        bars={bars(numbers.operations, (operation) => log({ operation }))}
      />
      <Bars
        title="People"
        lead="Those whose assistants called most."
        none="Nobody's assistant called."
        mixed
        bars={bars(numbers.people, (user) => log({ user }))}
      />
      <Bars
        title="Assistants"
        lead="Those that called most."
        none="No assistant called."
        mixed
        bars={bars(numbers.clients, (client) => log({ client }))}
      />
      <Bars title="Rules" lead="What blocked most." none="No rule blocked a call." bars={rules(numbers, log)} />
      <Bars
        title="Refusals"
        lead="Blocked without asking the policy, such as what can't be read as MCP."
        none="Nothing was refused without asking the policy."
        bars={numbers.refusals.map((refusal) => ({
          ...barOf(refusal, (query) => log({ query, decision: "blocked" })),
          label: refusal.key.replaceAll("_", " "),
          allowed: 0,
          blocked: Number(refusal.calls),
        }))}
      />
      <Bars
        title="Errors by status"
        lead="Answers to allowed calls with a status of 400 or more."
        none="No allowed call was answered with an error's status."
        bars={numbers.statuses.map((status) => ({
          ...barOf(status, (outcome) => log({ outcome })),
          label: `HTTP ${status.key}`,
        }))}
      />
    </div>
  );
}

function barOf({ key, name, calls, blocked }: DashboardCount, to: (key: string) => string): Bar {
  return { key, label: name || key, allowed: Number(calls - blocked), blocked: Number(blocked), to: to(key) };
}

/** The rules that blocked, and the default among them by how much it did. */
function rules({ rules, blockedByDefault }: GetDashboardResponse, log: Log): Bar[] {
  const bars = rules.map(({ id, number, note, blocked }) => ({
    key: id,
    label: note ? `${number}. ${note}` : `Rule ${number}`,
    allowed: 0,
    blocked: Number(blocked),
    to: log({ rule: id, decision: "blocked" }),
  }));
  if (blockedByDefault > 0n) {
    const to = log({ rule: "default", decision: "blocked" });
    bars.push({ key: "default", label: "The default, no rule", allowed: 0, blocked: Number(blockedByDefault), to });
  }
  return bars.sort((a, b) => b.blocked - a.blocked);
}
