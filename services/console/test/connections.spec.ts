import type { Page } from "@playwright/test";
import { accessible } from "./accessible";
import { Assistant } from "./assistant";
import { colleague } from "./colleague";
import { expect, test } from "./fixtures";
import type { Stack } from "./stack";

// Each connects real assistants, and several are looked at by axe-core.
test.describe.configure({ timeout: 180_000 });

// Nobody but admins is connected when one of these begins.
test.beforeEach(async ({ stack }) => {
  for (const email of ["ana@acme.test", "cy@acme.test"]) {
    await stack.cli("people", "forget", email).catch(() => {}); // nobody of that name is connected
  }
});

test("says who is connected with which assistant, and how sure that is", async ({ admin, browser, stack }) => {
  await admin.goto("/connections");
  await expect(admin.getByRole("heading", { name: "Nobody has connected an assistant yet" })).toBeVisible();
  await expect(admin.getByRole("link", { name: "Getting started" }).last()).toBeVisible();
  await accessible(admin);

  await connect(stack, browser, "cy@acme.test", "Cursor");
  await connect(stack, browser, "ana@acme.test", "Claude Code");
  await admin.reload();
  await expect(rows(admin)).toHaveCount(2);
  const ana = row(admin, "Ana Albarn");
  await expect(ana).toContainText("ana@acme.test");
  await expect(ana).toContainText("Claude Code");
  await expect(ana).toContainText("claimed");
  await expect(ana.getByRole("cell").nth(2).getByRole("time")).toBeVisible();
  await ana.getByText("claimed", { exact: true }).hover();
  await expect(admin.getByRole("tooltip", { name: "any app there can take that name" })).toBeVisible();
  for (const word of ["Verified", "Claimed", "Unknown"]) {
    await expect(admin.getByRole("term").filter({ hasText: word })).toBeVisible();
  }
  await admin.mouse.move(0, 0);
  await accessible(admin);

  await admin.getByRole("tab", { name: "Admins" }).click();
  await expect(row(admin, "Bo Brekke").first()).toContainText("Sallyport console");
  await accessible(admin);
});

test("finds a person, and opens with one", async ({ admin, browser, stack }) => {
  await connect(stack, browser, "cy@acme.test", "Cursor");
  await connect(stack, browser, "ana@acme.test", "Claude Code");
  await admin.goto("/connections?user=ana@acme.test");
  await expect(rows(admin)).toHaveCount(1);
  await expect(row(admin, "Ana Albarn")).toBeVisible();
  const search = admin.getByRole("searchbox", { name: "Search by person" });
  await search.fill("cast");
  await expect(row(admin, "Cy Castell")).toBeVisible();
  await expect(rows(admin)).toHaveCount(1);
  await expect(admin).toHaveURL(/\?user=cast$/);
  await search.fill("dana");
  await expect(admin.getByRole("heading", { name: "No connection of theirs" })).toBeVisible();
  await accessible(admin);
  await admin.getByRole("button", { name: "Show all" }).last().click();
  await expect(rows(admin)).toHaveCount(2);
});

test("disconnects one assistant, from the very next call on, and records that", async ({ admin, browser, stack }) => {
  const claude = await Assistant.connect(stack.state.mcp_url, browser, "ana@acme.test", "Claude Code");
  const cursor = await Assistant.connect(stack.state.mcp_url, browser, "ana@acme.test", "Cursor");
  await admin.goto("/connections");
  await admin.getByRole("button", { name: "Actions for Claude Code of Ana Albarn" }).press("Enter");
  await expect(admin.getByRole("menuitem", { name: "Show in the activity log" })).toBeVisible();
  await accessible(admin);
  await admin.getByRole("menuitem", { name: "Disconnect Claude Code" }).press("Enter");
  const dialog = admin.getByRole("dialog", { name: "Disconnect Claude Code from Ana Albarn?" });
  await expect(dialog).toContainText("From the very next call on, Claude Code is refused");
  await accessible(admin);
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(dialog).toBeHidden();
  await expect(rows(admin)).toHaveCount(2);

  await admin.getByRole("button", { name: "Actions for Claude Code of Ana Albarn" }).click();
  await admin.getByRole("menuitem", { name: "Disconnect Claude Code" }).click();
  await dialog.getByRole("button", { name: "Disconnect" }).click();
  await expect(admin.getByRole("alert")).toContainText("Claude Code is disconnected from Ana Albarn");
  await expect(dialog).toBeHidden();
  await expect(rows(admin)).toHaveCount(1);
  await expect(admin.getByRole("searchbox")).toBeFocused();
  await expect(claude.call("atlassianUserInfo", {})).rejects.toThrow();
  expect((await cursor.call("atlassianUserInfo", {})).isError).toBe(false);
  await expect.poll(() => lastAct(stack)).toMatchObject({ action: "connection.end", by: "bo@acme.test" });
  await cursor.close();
});

test("forgets a person, and says what happens", async ({ admin, browser, stack }) => {
  const claude = await Assistant.connect(stack.state.mcp_url, browser, "ana@acme.test", "Claude Code");
  await connect(stack, browser, "ana@acme.test", "Cursor");
  await connect(stack, browser, "cy@acme.test", "Cursor");
  await admin.goto("/connections");
  await admin.getByRole("button", { name: "Actions for Cursor of Ana Albarn" }).click();
  await admin.getByRole("menuitem", { name: "Disconnect and forget Ana Albarn" }).click();
  const dialog = admin.getByRole("dialog", { name: "Disconnect and forget Ana Albarn?" });
  await expect(dialog).toContainText("This ends their 2 connections: Cursor, Claude Code.");
  await expect(dialog).toContainText("From the very next call on");
  await expect(dialog).toContainText("The log of what they did stays");
  await accessible(admin);
  await dialog.getByRole("button", { name: "Disconnect and forget" }).click();
  await expect(admin.getByRole("alert")).toContainText("2 connections have ended. Atlassian has confirmed");
  await expect(rows(admin)).toHaveCount(1);
  await expect(row(admin, "Cy Castell")).toBeVisible();
  await expect(claude.call("atlassianUserInfo", {})).rejects.toThrow();
  await expect.poll(() => lastAct(stack)).toMatchObject({ action: "person.forget", by: "bo@acme.test" });

  await admin.getByRole("button", { name: "Actions for Cursor of Cy Castell" }).click();
  await admin.getByRole("menuitem", { name: "Disconnect and forget Cy Castell" }).click();
  await admin.getByRole("dialog").getByRole("button", { name: "block them by a rule" }).click();
  await expect(admin.getByRole("region", { name: "Unsaved changes" })).toContainText("1 rule added");
  await expect(admin.getByRole("row").filter({ hasText: "cy@acme.test" })).toContainText("Deny");
});

test("shows them to a viewer, who may not end them", async ({ browser, stack }) => {
  await stack.cli("roles", "add", "viewer", "cy@acme.test");
  await connect(stack, browser, "ana@acme.test", "Claude Code");
  const viewer = await colleague(stack, browser, "cy@acme.test");
  await viewer.goto("/connections");
  await expect(row(viewer, "Ana Albarn")).toBeVisible();
  await expect(viewer.getByText("Disconnecting people is for admins.")).toBeVisible();
  await viewer.getByRole("button", { name: "Actions for Claude Code of Ana Albarn" }).click();
  await expect(viewer.getByRole("menuitem")).toHaveCount(1);
  await viewer.context().close();
  await stack.cli("roles", "remove", "cy@acme.test");
});

function rows(page: Page) {
  return page
    .getByRole("table")
    .getByRole("row")
    .filter({ has: page.getByRole("cell") });
}

function row(page: Page, person: string) {
  return rows(page).filter({ hasText: person });
}

async function connect(stack: Stack, browser: Parameters<typeof colleague>[1], email: string, name: string) {
  await (await Assistant.connect(stack.state.mcp_url, browser, email, name)).close();
}

async function lastAct(stack: Stack): Promise<{ action?: string; by?: string }> {
  const acts = await stack.cli("log", "--administrative", "--limit", "1", "--json");
  const act = JSON.parse(acts);
  return { action: act.act?.action, by: act.user?.email };
}
