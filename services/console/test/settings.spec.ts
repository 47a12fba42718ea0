import type { Page } from "@playwright/test";
import { accessible } from "./accessible";
import { Assistant } from "./assistant";
import { colleague } from "./colleague";
import { expect, test } from "./fixtures";
import { signInAs } from "./person";

test.describe.configure({ timeout: 120_000 });

/** A section of the settings, by its heading. */
const section = (page: Page, name: string) => page.getByRole("region", { name, exact: true });

test("roles are given, changed and taken, and somebody stays admin", async ({ admin, stack }) => {
  await admin.goto("/settings#roles");
  const roles = section(admin, "Roles");
  await roles.getByRole("combobox", { name: "Group or person" }).fill("contr");
  await admin.getByRole("option", { name: "contractors" }).click();
  await roles.getByRole("button", { name: "Add" }).click();
  await expect(roles.getByText("not saved")).toBeVisible();
  await roles.getByRole("combobox", { name: "Group or person" }).fill("dana@acme.test");
  await roles.getByRole("combobox", { name: "Role", exact: true }).selectOption("auditor");
  await roles.getByRole("button", { name: "Add" }).click();
  await accessible(admin);
  await roles.getByRole("textbox", { name: "Why, for the record" }).fill("They look after it");
  await roles.getByRole("button", { name: "Save roles" }).click();
  await expect(roles.getByText("Saved, and in force.")).toBeVisible();
  expect(await stack.cli("roles", "get")).toMatch(/contractors[\s\S]*dana@acme.test/);

  await roles.getByRole("combobox", { name: "Role of dana@acme.test" }).selectOption("viewer");
  await roles.getByRole("button", { name: "Remove contractors" }).click();
  await expect(roles.getByRole("button", { name: "Remove dana@acme.test" })).toBeFocused();
  await roles.getByRole("button", { name: "Save roles" }).click();
  await expect(roles.getByText("Saved, and in force.")).toBeVisible();

  await roles.getByRole("combobox", { name: /^Role of 712020|^Role of bo/ }).selectOption("viewer");
  await roles.getByRole("button", { name: "Save roles" }).click();
  await expect(roles.getByRole("alert")).toContainText("Nobody would be admin any more");
  await accessible(admin);
  await roles.getByRole("button", { name: "Discard" }).click();
  await expect(roles.getByRole("button", { name: "Save roles" })).toBeHidden();
  await stack.cli("roles", "remove", "dana@acme.test");
});

test("when somebody else saved roles meanwhile, nothing of either is lost", async ({ admin, stack }) => {
  await admin.goto("/settings#roles");
  const roles = section(admin, "Roles");
  await roles.getByRole("combobox", { name: "Group or person" }).fill("dana@acme.test");
  await roles.getByRole("button", { name: "Add" }).click();
  await stack.cli("roles", "add", "auditor", "ana@acme.test");
  await roles.getByRole("button", { name: "Save roles" }).click();
  const alert = roles.getByRole("alert");
  await expect(alert).toContainText("Somebody else saved roles meanwhile");
  await expect(alert.getByRole("listitem").filter({ hasText: "ana@acme.test: auditor" })).toBeVisible();
  await accessible(admin);
  await alert.getByRole("button", { name: "Make my change to theirs" }).click();
  await roles.getByRole("button", { name: "Save roles" }).click();
  await expect(roles.getByText("Saved, and in force.")).toBeVisible();
  expect(await stack.cli("roles", "get")).toMatch(/ana@acme.test[\s\S]*dana@acme.test/);
  await stack.cli("roles", "remove", "ana@acme.test", "dana@acme.test");
});

test("an API token is shown once, listed and revoked", async ({ admin, stack }) => {
  await admin.goto("/settings#tokens");
  const tokens = section(admin, "API tokens");
  await tokens.getByRole("button", { name: "Create a token" }).click();
  const dialog = admin.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Name" }).fill("Not a name");
  await dialog.getByRole("button", { name: "Create" }).click();
  await expect(dialog.getByRole("alert")).toContainText("lower-case letters");
  await dialog.getByRole("textbox", { name: "Name" }).fill("log-reader");
  await accessible(admin);
  await dialog.getByRole("button", { name: "Create" }).click();
  await expect(dialog.getByText("It is shown this once")).toBeVisible();
  await expect(dialog.getByRole("button", { name: "Copy the token" })).toBeVisible();
  const token = (await dialog.getByText(/^sallyport_/).textContent()) ?? "";
  await accessible(admin);
  await dialog.getByRole("button", { name: "Done" }).click();
  await expect(tokens.getByText(token)).toHaveCount(0);
  const row = tokens.getByRole("row", { name: /log-reader/ });
  await expect(row).toContainText("viewer");
  await expect(row).toContainText("never");

  const asked = () =>
    fetch(`${stack.state.console_url}/sallyport.admin.v1.SessionService/GetSession`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: "{}",
    });
  expect((await asked()).status).toBe(200);
  await row.getByRole("button", { name: "Revoke log-reader" }).click();
  await expect(admin.getByRole("dialog", { name: "Revoke log-reader?" })).toBeVisible();
  await admin.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await expect(row).toContainText(/revoked .* by bo@acme.test/);
  expect((await asked()).status).toBe(401);
});

test("groups, tools, what is kept and cut out, and how each part is", async ({ admin, stack, browser }) => {
  const assistant = await Assistant.connect(stack.state.mcp_url, browser, "ana@acme.test", "Claude Code");
  await assistant.call("getJiraIssue", { issueIdOrKey: "OPS-1" });
  await admin.goto("/settings#groups");
  const groups = section(admin, "Groups credential");
  await expect(groups.getByText("Jira answers with people's groups")).toBeVisible();
  await groups.getByRole("button", { name: "Refresh groups now" }).click();
  await expect(groups.getByRole("status")).toContainText(/Learned the groups of \d+ (person|people)\./);

  await expect(section(admin, "New and changed tools")).toContainText("All tools are reviewed");
  const retention = section(admin, "Retention");
  await expect(retention).toContainText("400 days");
  await expect(retention).toContainText("SALLYPORT_RETENTION_DAYS");
  await expect(retention).toContainText("30 days");
  const redaction = section(admin, "Redaction");
  await expect(redaction.getByText("password", { exact: true })).toBeVisible();
  await expect(redaction).toContainText("--redact-keys");
  const health = section(admin, "Health");
  for (const part of ["Envoy", "authz", "identity", "accesslog", "Redis", "Elasticsearch"]) {
    await expect(health.getByText(part, { exact: true })).toBeVisible();
  }
  await expect(health).toContainText(/Up to date|Behind/);
  await expect(section(admin, "Kept aside")).toContainText(/Nothing is kept aside|kept aside\. Mend/);
  await expect(section(admin, "Alerts")).toContainText("New assistant");
  await accessible(admin);
  await admin.setViewportSize({ width: 360, height: 640 });
  expect(await admin.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  await assistant.close();
});

test("what Elasticsearch refuses is listed, acknowledged and sent again, by admins alone", async ({
  admin,
  browser,
  stack,
}) => {
  const assistant = await Assistant.connect(stack.state.mcp_url, browser, "ana@acme.test", "Claude Code");
  // No index takes a field of that name.
  const refused = { jql: "project = OPS", "no\u0000index": 1 };
  await assistant.call("searchJiraIssuesUsingJql", refused);
  await assistant.call("searchJiraIssuesUsingJql", refused);
  await expect.poll(async () => (await stack.cli("log", "rejected", "--json")).trim().split("\n").length).toBe(2);

  await admin.goto("/log");
  await expect(admin.getByText("Elasticsearch refuses 2 entries, which no search finds.")).toBeVisible();
  await accessible(admin);
  await admin.getByRole("link", { name: "Settings list what is kept aside." }).click();
  const aside = section(admin, "Kept aside");
  const entries = aside.getByRole("article");
  await expect(entries).toHaveCount(2);
  await expect(entries.first()).toContainText(/^The arguments of record /);
  await entries.first().getByText("Document", { exact: true }).click();
  await expect(entries.first().getByText('"no\\u0000index"')).toBeVisible();
  await expect(section(admin, "Health")).toContainText("2 entries are kept aside");
  await accessible(admin);

  await test.step("acknowledged, they stay and nothing is degraded for them", async () => {
    await entries.first().getByRole("button", { name: "Acknowledge" }).press("Enter");
    await expect(aside.getByRole("status")).toHaveText("1 entry is acknowledged.");
    await expect(entries.first()).toContainText(/Acknowledged by bo@acme\.test/);
    await expect(entries.first().getByRole("button", { name: "Retry" })).toBeFocused();
    await aside.getByRole("button", { name: "Acknowledge all" }).click();
    await expect(aside.getByRole("button", { name: /^Acknowledge/ })).toHaveCount(0);
    await expect(entries).toHaveCount(2);
    await expect(section(admin, "Health")).not.toContainText("kept aside");
  });
  await test.step("what is still refused when it is sent again comes back, and nobody has seen that", async () => {
    await entries.last().getByRole("button", { name: "Retry" }).click();
    await expect(aside.getByRole("status")).toHaveText("1 entry is on its way to Elasticsearch again.");
    await expect(aside.getByRole("button", { name: "Acknowledge the arguments" })).toHaveCount(1);
    await aside.getByRole("button", { name: "Retry all" }).click();
    await expect(aside.getByRole("status")).toHaveText("2 entries are on their way to Elasticsearch again.");
  });
  await test.step("a viewer sees neither the buttons nor what was refused", async () => {
    await stack.cli("roles", "add", "viewer", "cy@acme.test");
    const viewer = await colleague(stack, browser, "cy@acme.test", "/settings");
    const seen = section(viewer, "Kept aside");
    await expect(seen).toContainText("Documents and Elasticsearch's words are for auditors.");
    await expect(seen).toContainText("Only admins acknowledge entries or have them indexed again, and you are viewer.");
    await expect(seen.getByRole("button")).toHaveCount(0);
    await viewer.context().close();
    await stack.cli("roles", "remove", "cy@acme.test");
  });
  await stack.cli("log", "acknowledge", "--all");
  await assistant.close();
});

test("new and changed tools are told of until they are reviewed", async ({ admin, browser, stack }) => {
  await stack.apply({ default: "allow", rules: [{ operation: "delete*", effect: "deny" }] });
  const signIn = async () => (await Assistant.connect(stack.state.mcp_url, browser, "ana@acme.test")).close();
  await signIn();
  await expect.poll(() => stack.cli("policy", "operations")).toContain("getJiraIssue");
  await stack.turn("tools/deleteJiraProject", { description: "Deletes a project and all that is in it." });
  await stack.turn("tools/getJiraIssue", { description: "Gets an issue, with its attachments." });
  await stack.learnTools();
  await signIn();

  await admin.goto("/settings#tools");
  const tools = section(admin, "New and changed tools");
  await expect(tools.getByRole("button", { name: "Mark deleteJiraProject as reviewed" })).toBeVisible();
  await expect(tools).toContainText("Deletes a project and all that is in it.");
  await expect(tools).toContainText("Rule 1 blocks it.");
  await expect(tools).toContainText("changed description");
  await accessible(admin);
  await tools.getByRole("button", { name: "Mark deleteJiraProject as reviewed" }).press("Enter");
  await expect(tools.getByRole("link", { name: "deleteJiraProject" })).toHaveCount(0);
  await expect(tools.getByRole("button", { name: "Mark getJiraIssue as reviewed" })).toBeFocused();
  await admin.keyboard.press("Enter");
  await expect(tools).toContainText("All tools are reviewed");
  await expect(tools.getByRole("heading")).toBeFocused();
});

test("alerts say what happened, and lead to the calls", async ({ admin, browser, stack }) => {
  await stack.apply({
    default: "allow",
    rules: [{ operation: "*", effect: "deny", note: "See it as closed. See me" }],
  });
  const assistant = await Assistant.connect(stack.state.mcp_url, browser, "ana@acme.test", "Claude Code");
  // More than half of all calls of these ten minutes.
  const raised = () => stack.cli("alerts", "--json");
  await expect(async () => {
    for (let calls = 0; calls < 50; calls++) await assistant.call("getJiraIssue", { issueIdOrKey: "OPS-1" });
    expect(await raised()).toContain("block_rate");
  }).toPass();
  await admin.goto("/settings#alerts");
  const alerts = section(admin, "Alerts");
  await expect(alerts).toContainText(
    'was blocked for the first time by rule 1 ("See it as closed. See me"): getJiraIssue with Claude Code (claude-code, claimed). Show the call',
  );
  await expect(alerts).toContainText(/\d+ of \d+ calls were blocked \(\d+%\) since .* Show the blocked calls/);
  await expect(alerts).not.toContainText("sallyport log");
  await accessible(admin);
  await alerts.getByRole("link", { name: "Show the blocked calls" }).first().click();
  await expect(admin).toHaveURL(/\/log\?decision=blocked&since=.+&until=.+/);
  await expect(admin.getByRole("rowgroup").getByRole("row").first()).toContainText("Blocked");
  await stack.apply({ default: "allow" });
  await assistant.close();
});

test("a viewer sees all of it, changes nothing and is told why", async ({ stranger, stack }) => {
  await stack.cli("roles", "add", "viewer", "cy@acme.test");
  await stranger.goto("/signin?return=/settings");
  await signInAs(stranger, "cy@acme.test", (url) => url.pathname === "/settings");
  const roles = section(stranger, "Roles");
  await expect(roles).toContainText("Only admins give and take roles, and you are viewer.");
  await expect(roles.getByRole("row", { name: /cy@acme.test/ })).toContainText("viewer");
  await expect(section(stranger, "API tokens")).toContainText("Only admins create and revoke tokens");
  await expect(section(stranger, "Health").getByText("Elasticsearch", { exact: true })).toBeVisible();
  for (const button of ["Add", "Create a token", "Refresh groups now", "Retry all"]) {
    await expect(stranger.getByRole("button", { name: button })).toHaveCount(0);
  }
  await accessible(stranger);
  await stack.cli("roles", "remove", "cy@acme.test");
});
