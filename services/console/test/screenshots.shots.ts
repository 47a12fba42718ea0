import { resolve } from "node:path";
import type { Page } from "@playwright/test";
import { Assistant } from "./assistant";
import { expect, test } from "./fixtures";
import { type Call, writeHistory } from "./history";

// The pictures in docs/images, of every page in light, dark and narrow: make screenshots.

const images = resolve(import.meta.dirname, "../../../docs/images");

const policy = {
  default: "allow",
  rules: [
    // Without an id it is the first policy's rule.
    { operation: "delete*", effect: "deny", note: "AI may never delete anything" },
    { id: "contractors", who: "group:contractors", operation: "write*", effect: "deny", note: "Contractors only read" },
    {
      id: "cursor",
      client: "cursor",
      operation: "confluence write*",
      effect: "deny",
      mode: "monitor",
      note: "Watch what Cursor writes",
    },
    { id: "admins", who: "group:site-admins", operation: "manage*", effect: "allow" },
    { id: "manage", operation: "manage*", effect: "deny", note: "Ask an admin of the site" },
  ],
};

const ana = {
  id: "712020:4f0c7a52-8e1b-4d66-9a3c-1b7d5e20f9a1",
  name: "Ana Albarn",
  email: "ana@acme.test",
  groups: ["developers"],
};
const bo = {
  id: "712020:9b2e61d7-35a4-4c08-b6f1-e47a0c83d5b2",
  name: "Bo Brekke",
  email: "bo@acme.test",
  groups: ["site-admins", "developers"],
};
const cy = { id: "5f9d3ac1e8b7420069c4d1f3", name: "Cy Castell", email: "cy@acme.test", groups: ["contractors"] };
const claude = { key: "claude", name: "Claude", class: "verified" };
const code = { key: "claude-code", name: "Claude Code", class: "claimed" };
const cursor = { key: "cursor", name: "Cursor", class: "claimed" };

const kinds: Partial<Call>[] = [
  { operation: "searchJiraIssuesUsingJql", person: ana, client: claude, arguments: { jql: "project = OPS" } },
  { operation: "getJiraIssue", person: ana, client: code, arguments: { issueIdOrKey: "OPS-3" } },
  { operation: "getConfluencePage", product: "confluence", person: bo, client: claude, arguments: { pageId: "98431" } },
  { operation: "editJiraIssue", person: ana, client: claude, arguments: { issueIdOrKey: "WEB-12" } },
  {
    operation: "createConfluencePage",
    product: "confluence",
    person: bo,
    client: cursor,
    arguments: { spaceId: "ENG" },
  },
  {
    operation: "searchConfluenceUsingCql",
    product: "confluence",
    person: cy,
    client: code,
    arguments: { cql: "type = page" },
  },
  {
    operation: "editJiraIssue",
    person: cy,
    client: code,
    blocked: true,
    rule: { number: 2, note: "Contractors only read" },
  },
  {
    operation: "deleteJiraIssue",
    person: ana,
    client: claude,
    blocked: true,
    rule: { number: 1, note: "AI may never delete anything" },
  },
];

/** Sixty days of calls, more by day than by night, and the same each time. */
function past(): Call[] {
  const calls: Call[] = [];
  const now = Date.now();
  for (let n = 0; n < 3_000; n++) {
    const hours = (n * 7_919) % (60 * 24);
    const at = new Date(now - hours * 3_600_000 - ((n * 104_729) % 3_600) * 1_000 - 600_000);
    const kind = kinds[(n * 31 + (hours % 7)) % kinds.length];
    if ((at.getUTCHours() < 6 || at.getUTCHours() > 18) && n % 3 > 0) continue;
    calls.push({ id: `picture-${n}`, at, ...kind });
  }
  return calls;
}

test("pictures of every page", async ({ admin, browser, stack }) => {
  test.setTimeout(300_000);
  // Leaving a policy that isn't saved.
  admin.on("dialog", (dialog) => void dialog.accept());
  await writeHistory(stack, past());
  for (const [email, name] of [
    ["ana@acme.test", "Claude Code"],
    ["cy@acme.test", "Claude Code"],
    ["bo@acme.test", "Cursor"],
  ] as const) {
    const assistant = await Assistant.connect(stack.state.mcp_url, browser, email, name);
    await assistant.call("searchJiraIssuesUsingJql", { jql: "project = OPS ORDER BY updated DESC" });
    await assistant.close();
  }
  await stack.apply(policy, "Deletes and contractors");
  await stack.cli("roles", "add", "auditor", "group:developers");
  await stack.cli("roles", "add", "viewer", "cy@acme.test");
  await stack.cli("tokens", "create", "ci-check", "--role", "viewer");
  const blocked = await Assistant.connect(stack.state.mcp_url, browser, "ana@acme.test", "Claude Code");
  await blocked.call("deleteJiraIssue", { issueIdOrKey: "OPS-3" });
  await blocked.close();

  const shown = (page: Page, words: string) => expect(page.getByRole("main")).toContainText(words);
  await picture(admin, "/", "start", () => shown(admin, "Allow this domain in Rovo"));
  await picture(admin, "/policy", "policy", () => shown(admin, "Contractors only read"));
  await picture(admin, "/log", "log", () => shown(admin, "deleteJiraIssue"));
  await picture(admin, "/log", "log-record", async () => {
    await admin.getByRole("rowgroup").getByRole("row").first().click();
    await expect(admin.getByRole("dialog", { name: "Record" })).toContainText("AI may never delete anything");
  });
  await picture(admin, "/dashboard?range=30d", "dashboard", () => shown(admin, "searchJiraIssuesUsingJql"));
  await picture(admin, "/connections", "connections", () => shown(admin, "Cy Castell"));
  await picture(admin, "/settings", "settings", () => shown(admin, "ci-check"));
  await picture(admin, "/log?user=nobody@acme.test&decision=blocked", "log-nothing", () =>
    shown(admin, "Without Person"),
  );
  await picture(admin, "/policy?version=2&compare=1", "policy-history", () => shown(admin, "All rules"));

  const review = async () => {
    await expect(admin.getByRole("button", { name: /^Effect of rule 2/ })).toBeVisible();
    // A draft outlives its page.
    const discard = admin.getByRole("button", { name: "Discard" });
    if (await discard.isVisible()) await discard.click();
    await admin.getByRole("button", { name: "Effect of rule 2 Deny" }).click();
    await admin.getByRole("option", { name: "Allow" }).click();
    await admin.getByRole("button", { name: "Review and save" }).click();
  };
  const dialog = admin.getByRole("dialog");
  await picture(admin, "/policy", "policy-review", async () => {
    await review();
    await expect(dialog.getByRole("region", { name: "In the last 7 days" })).toContainText("allowed that were blocked");
  });
  await picture(admin, "/policy", "policy-conflict", async () => {
    await stack.apply(policy, "Deletes and contractors");
    await admin.reload();
    await review();
    await expect(dialog.getByRole("region", { name: "The difference" })).toContainText("Rule 2 is changed");
    const watched = policy.rules.map((rule) => (rule.client ? { ...rule, note: "Watch Cursor for a week" } : rule));
    await stack.apply({ ...policy, rules: watched }, "Until Friday");
    await dialog.getByRole("button", { name: "Save" }).click();
    await expect(dialog).toContainText("Somebody else saved meanwhile");
  });
});

/** Takes a page in light, in dark and narrow, each once it shows what it is about. */
async function picture(page: Page, address: string, name: string, ready: () => Promise<void>): Promise<void> {
  const forms = [
    { suffix: "", colorScheme: "light", width: 1280, height: 800 },
    { suffix: "-dark", colorScheme: "dark", width: 1280, height: 800 },
    { suffix: "-narrow", colorScheme: "light", width: 360, height: 740 },
  ] as const;
  for (const { suffix, colorScheme, width, height } of forms) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.setViewportSize({ width, height });
    await page.goto("about:blank");
    await page.goto(address);
    await ready();
    await page.mouse.move(0, 0);
    await page.screenshot({ path: `${images}/${name}${suffix}.png`, animations: "disabled" });
  }
}
