import type { Page } from "@playwright/test";
import { accessible } from "./accessible";
import { Assistant } from "./assistant";
import { expect, test } from "./fixtures";
import { signInAs } from "./person";

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
