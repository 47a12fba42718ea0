import type { Locator, Page } from "@playwright/test";
import { accessible } from "./accessible";
import { Assistant } from "./assistant";
import { expect, bare as test } from "./fixtures";
import { signInAs } from "./person";

// From an empty Sallyport to a person who was disconnected, as an admin and Ana live through it.
test("the whole story", async ({ stranger: page, browser, stack }) => {
  test.setTimeout(240_000);
  const home = `${stack.state.console_url}/`;

  await test.step("at first, Rovo doesn't know the domain, and whoever comes is told what to do", async () => {
    await stack.turn("domains", []);
    await stack.turn("domain_error", "return");
    await page.goto(await stack.firstLink());
    await expect(page.getByRole("heading", { name: "Become Sallyport's first admin?" })).toBeVisible();
    await signInAs(page, "bo@acme.test", (url) => url.pathname === "/signin/callback");
    await expect(page.getByRole("main")).toContainText(stack.state.callback_url);
  });

  await test.step("with the domain allowed, the same link makes Bo admin", async () => {
    await stack.turn("domains", ["http://localhost:*/**", "http://127.0.0.1:*/**"]);
    await stack.turn("domain_error", "consent");
    await page.goto(await stack.firstLink());
    await signInAs(page, "bo@acme.test", (url) => url.toString() === home);
    await expect(step(page, "Allow this domain in Rovo")).toContainText("Allowed");
  });

  await test.step("where nothing has happened yet, each page says what to do", async () => {
    await page.goto("/log");
    await expect(page.getByRole("heading", { name: "Nothing recorded yet" })).toBeVisible();
    await expect(page.getByRole("main").getByRole("link", { name: "Getting started" })).toHaveAttribute("href", "/");
    await accessible(page);
    await page.goto("/dashboard");
    await expect(page.getByRole("heading", { name: "Nothing was recorded in this range" })).toBeVisible();
    await page.goto("/settings#alerts");
    await expect(page.getByRole("region", { name: "Alerts" })).toContainText("There were none.");
    await page.goto("/");
  });

  const claude = await test.step("Ana connects Claude Code, and her first call shows by itself", async () => {
    await expect(step(page, "See the first call")).toContainText("Waiting for a sign-in");
    const assistant = await Assistant.connect(stack.state.mcp_url, browser, "ana@acme.test", "Claude Code");
    expect((await assistant.call("searchJiraIssuesUsingJql", { jql: "project = OPS" })).isError).toBe(false);
    await expect(step(page, "See the first call")).toContainText("Working");
    return assistant;
  });
  const deleting = async () => (await claude.call("deleteJiraIssue", { issueIdOrKey: "OPS-3" })).isError;

  await test.step("Bo blocks whatever deletes, and the very next call is blocked", async () => {
    await page.getByRole("navigation").getByRole("link", { name: "Access policy" }).click();
    await page.getByRole("button", { name: "Add rule", exact: true }).click();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Operation of rule 1" }).click();
    await page.keyboard.type("delete*");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Note of rule 1" }).click();
    await page.keyboard.type("Ask Bo before you delete");
    await page.keyboard.press("Enter");
    await save(page, "Nothing is deleted by AI");
    expect(await deleting()).toBe(true);
  });

  await test.step("the block is in the log, with the rule", async () => {
    await page.getByRole("navigation").getByRole("link", { name: "Activity log" }).click();
    const blocked = page.getByRole("rowgroup").getByRole("row").first();
    await expect(blocked).toContainText("deleteJiraIssue");
    await expect(blocked).toContainText("Blocked");
    await blocked.click();
    await expect(page.getByRole("dialog", { name: "Record" })).toContainText(
      "Blocked by rule 1: Ask Bo before you delete",
    );
  });

  await test.step("Bo makes a rule from it for Ana, and her next call goes through", async () => {
    await page.getByRole("link", { name: "Make a rule from this" }).click();
    await expect(page.getByRole("button", { name: "Operation of rule 1 deleteJiraIssue" })).toBeVisible();
    await save(page, "Ana may");
    expect(await deleting()).toBe(false);
  });

  await test.step("Bo rolls back, and the next call is blocked again", async () => {
    await page.getByRole("tab", { name: "History" }).click();
    await page.getByRole("navigation", { name: "Versions" }).getByRole("link").nth(1).click();
    await page.getByRole("button", { name: "Roll back to this version" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Roll back" }).click();
    await expect(inForce(page, "Roll back to version 2")).toBeVisible();
    expect(await deleting()).toBe(true);
  });

  await test.step("the dashboard counts what happened", async () => {
    await page.getByRole("navigation").getByRole("link", { name: "Dashboard" }).click();
    await expect(page.getByRole("main")).toContainText("deleteJiraIssue");
  });

  await test.step("Bo disconnects Ana, and the next call is refused", async () => {
    await page.goto("/log?operation=deleteJiraIssue");
    await page.getByRole("rowgroup").getByRole("row").first().click();
    await page.getByRole("dialog", { name: "Record" }).getByRole("button", { name: "Disconnect" }).click();
    const sure = page.getByRole("dialog", { name: "Disconnect and forget Ana Albarn?" });
    await sure.getByRole("button", { name: "Disconnect and forget" }).click();
    await expect(page.getByRole("alert")).toContainText("Atlassian has confirmed");
    await expect(claude.call("atlassianUserInfo", {})).rejects.toThrow();
  });
  await claude.close();
});

/** A step of Getting started. */
function step(page: Page, title: string): Locator {
  return page.getByRole("heading", { level: 2 }).getByRole("button", { name: title });
}

/** What says which version is in force, and why it was saved. */
function inForce(page: Page, why: string): Locator {
  return page.getByText(new RegExp(`^Version \\d+ is in force .* ${why}$`));
}

async function save(page: Page, why: string): Promise<void> {
  await page.getByRole("button", { name: "Review and save" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Why" }).fill(why);
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(inForce(page, why)).toBeVisible();
}
