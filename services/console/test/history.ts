import type { Stack } from "./stack";

const dana = { id: "712020:dana", name: "Dana Dietrich", email: "dana@acme.test", groups: ["contractors"] };

/** A call that was made, as accesslog writes it; what is given differs from an ordinary one. */
export type Call = { id: string; at: Date } & Partial<{
  operation: string;
  product: string;
  blocked: boolean;
  rule: { number: number; note: string };
  person: typeof dana;
  client: { key: string; name: string; class: string };
  session: string;
  arguments: Record<string, unknown>;
}>;

/**
 * Writes calls straight into Elasticsearch, so that there is a past without making all of them. What was
 * decided now comes by calls alone: the tail doesn't know of these.
 */
export async function writeHistory(stack: Stack, calls: Call[]): Promise<void> {
  for (let from = 0; from < calls.length; from += 2_000) {
    const lines = calls.slice(from, from + 2_000).flatMap((call) => {
      const index = `sallyport-activity-${call.at.toISOString().slice(0, 10).replaceAll("-", ".")}`;
      return [JSON.stringify({ create: { _index: index, _id: call.id } }), JSON.stringify(documentOf(call))];
    });
    const answer = await fetch(`${stack.state.elasticsearch_url}/_bulk?refresh=true`, {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: `${lines.join("\n")}\n`,
    });
    const said = (await answer.json()) as { errors: boolean; items: unknown[] };
    if (!answer.ok || said.errors) throw new Error(`Elasticsearch: ${JSON.stringify(said).slice(0, 500)}`);
  }
}

function documentOf({ id, at, operation = "getJiraIssue", blocked = false, session, ...call }: Call) {
  const { groups, ...user } = call.person ?? dana;
  const given = { cloudId: "acme.atlassian.net", ...(call.arguments ?? { issueIdOrKey: "OPS-17" }) };
  return {
    "@timestamp": at.toISOString(),
    event: { id, kind: "event", action: "tools/call", outcome: blocked ? "failure" : "success", duration: 212_000_000 },
    user: { ...user, group: { id: groups.map((name) => `id-${name}`), name: groups } },
    http: { request: { method: "POST", body: { bytes: 214 } }, response: { status_code: 200, body: { bytes: 1834 } } },
    sallyport: {
      client: call.client ?? { key: "claude", name: "Claude", class: "verified" },
      operation: { name: operation, product: call.product ?? "jira", actions: [familyOf(operation)] },
      decision: blocked ? "blocked" : "allowed",
      policy_version: 1,
      ...(blocked ? { rule: { id: "r-history", number: 1, note: "Never delete", ...call.rule } } : { outcome: "ok" }),
      ...(blocked ? {} : { upstream_latency: 201_000_000 }),
      ...(session ? { mcp_session: session } : {}),
      arguments: given,
      arguments_text: JSON.stringify(given),
    },
  };
}

function familyOf(operation: string): string {
  const families = { delete: "delete", create: "create", edit: "update" };
  return Object.entries(families).find(([verb]) => operation.startsWith(verb))?.[1] ?? "read";
}
