import type { Page } from "@playwright/test";
import { accessible } from "./accessible";
import { Assistant } from "./assistant";
import { colleague } from "./colleague";
import { test as base, expect } from "./fixtures";
import { signInAs } from "./person";
import { Stack } from "./stack";

// Its own stack, since it is about what there is before anybody has connected. The tests follow one another.
const test = base.extend<object, { stack: Stack }>({
  stack: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads what a fixture needs from its parameter.
    async ({}, use) => {
      const stack = await Stack.start();
      await use(stack);
      await stack.stop();
    },
    { scope: "worker", timeout: 120_000 },
  ],
});
test.describe.configure({ mode: "serial", timeout: 180_000 });

test("gives the MCP server URL, and says what is missing", async ({ admin, stack }) => {
  await admin.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await expect(admin.getByRole("heading", { name: "MCP server URL" })).toBeVisible();
  await expect(admin.getByText("Needs setup")).toBeVisible();
  await expect(admin.getByText(/Sallyport has no public URL yet/)).toBeVisible();
  await admin.getByRole("button", { name: "Copy the MCP server URL" }).press("Enter");
  await expect(admin.getByRole("button", { name: "the MCP server URL copied" })).toBeVisible();
  expect(await admin.evaluate(() => navigator.clipboard.readText())).toBe(stack.state.mcp_url);

  const rest = step(admin, "Complete the set-up");
  await expect(rest).toHaveAttribute("aria-expanded", "true");
  await expect(
    admin.getByText(/turn off "Allow Atlassian supported domains" in Atlassian Administration/),
  ).toBeVisible();
  await expect(admin.getByText(/Turn API tokens off/)).toBeVisible();
  for (const item of [
    "The way past Sallyport",
    "API tokens",
    "IP allowlist",
    "Who may sign in",
    "Groups",
    "The site's tools",
  ]) {
    await expect(admin.getByRole("heading", { name: item, exact: true })).toBeVisible();
  }
  await accessible(admin);
});

test("says how the domain is allowed in Rovo, and sees by itself when it is", async ({ admin, browser, stack }) => {
  const card = step(admin, "Allow this domain in Rovo");
  await expect(card).toContainText("Allowed"); // Bo came back
  await expect(card).toHaveAttribute("aria-expanded", "false");

  await stack.turn("domains", []);
  await stack.turn("domain_error", "return");
  await comeBack(stack, browser);
  await admin.reload();
  await expect(card).toContainText("Action needed");
  await expect(card).toHaveAttribute("aria-expanded", "true");
  const region = admin.getByRole("region", { name: "Allow this domain in Rovo" });
  await expect(region.getByText(stack.state.callback_url, { exact: true })).toBeVisible();
  const steps = region.getByRole("listitem");
  await expect(steps).toHaveCount(4);
  await expect(steps.nth(0)).toContainText("Copy the callback URL");
  await expect(steps.nth(1)).toContainText(/Rovo MCP server.*Domains.*Your domains.*Add domain/);
  await expect(steps.nth(2)).toContainText("Paste the callback URL and save");
  await expect(steps.nth(3)).toContainText("Turn off Allow Atlassian supported domains");
  await expect(region).toContainText("no assistant reaches Jira and Confluence past your rules and your log");
  await expect(region).toContainText("Your organization admin must authorize access from this redirect URL");
  await expect(region.getByRole("link", { name: "Open Rovo's settings" })).toHaveAttribute(
    "href",
    "https://admin.atlassian.com",
  );
  await admin.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await region.getByRole("button", { name: "Copy the callback URL" }).click();
  expect(await admin.evaluate(() => navigator.clipboard.readText())).toBe(stack.state.callback_url);
  await admin.mouse.move(0, 0);
  await accessible(admin);

  await stack.turn("domains", ["http://localhost:*/**", "http://127.0.0.1:*/**"]);
  await stack.turn("domain_error", "consent");
  await region.getByRole("button", { name: "Copy the callback URL" }).focus();
  await comeBack(stack, browser);
  await expect(card).toContainText("Allowed", { timeout: 30_000 });
  await expect(card).toHaveAttribute("aria-expanded", "false");
  await expect(card).toBeFocused(); // the focus was in what has closed
});

test("says how it is added to Claude, and to others in the form each understands", async ({ admin, stack }) => {
  const url = stack.state.mcp_url;
  const region = admin.getByRole("region", { name: "Add it to Claude" });
  await expect(region.getByRole("listitem")).toHaveCount(3);
  await expect(region).toContainText("Add custom connector");
  await expect(region.getByText(url, { exact: true })).toBeVisible();
  await expect(region).toContainText("which can't reach this address: it needs an https:// URL");

  await region.getByRole("tab", { name: "Claude Code" }).click();
  await expect(region.getByText(`claude mcp add --transport http sallyport ${url}`)).toBeVisible();
  await expect(region.getByText("claude mcp login sallyport")).toBeVisible();
  await expect(admin).toHaveURL(/\?assistant=claude-code$/);

  await region.getByRole("tab", { name: "ChatGPT" }).click();
  await expect(region).toContainText("Developer mode");
  await expect(region.getByText(url, { exact: true })).toBeVisible();

  await region.getByRole("tab", { name: "Cursor" }).click();
  const cursor = new URL((await region.getByRole("link", { name: "Add to Cursor" }).getAttribute("href")) ?? "");
  expect(`${cursor.protocol}//${cursor.host}${cursor.pathname}`).toBe("cursor://anysphere.cursor-deeplink/mcp/install");
  expect(cursor.searchParams.get("name")).toBe("sallyport");
  expect(JSON.parse(atob(cursor.searchParams.get("config") ?? ""))).toEqual({ url });

  await region.getByRole("tab", { name: "VS Code" }).click();
  const vscode = (await region.getByRole("link", { name: "Add to VS Code" }).getAttribute("href")) ?? "";
  expect(vscode).toMatch(/^vscode:mcp\/install\?/);
  const server = { name: "sallyport", type: "http", url };
  expect(JSON.parse(decodeURIComponent(vscode.split("?")[1] ?? ""))).toEqual(server);
  await expect(region.getByText(`code --add-mcp '${JSON.stringify(server)}'`)).toBeVisible();

  await region.getByRole("tab", { name: "Others" }).press("Enter");
  await expect(region.getByText(/mcp-remote.*\/mcp"\]/)).toBeVisible();
});

test("waits for the first sign-in and the first call, and shows what arrived", async ({ admin, browser, stack }) => {
  const live = step(admin, "See the first call");
  const region = admin.getByRole("region", { name: "See the first call" });
  await expect(live).toContainText("Waiting for a sign-in");
  await expect(region.getByText("Waiting for the first one.")).toHaveCount(2);

  const claude = await Assistant.connect(stack.state.mcp_url, browser, "ana@acme.test", "Claude Code");
  await expect(region).toContainText("Ana Albarn connected Claude Code");
  await expect(live).toContainText("Waiting for a call");
  await expect(step(admin, "Add it to Claude")).toContainText("Connected");
  await expect(step(admin, "Add it to Claude")).toHaveAttribute("aria-expanded", "false");

  await claude.call("searchJiraIssuesUsingJql", { jql: "project = OPS" });
  await expect(region).toContainText("Ana Albarn called searchJiraIssuesUsingJql with Claude Code", {
    timeout: 30_000,
  });
  await expect(region).toContainText("Allowed");
  await expect(region).toContainText('"jql":"project = OPS"');
  await expect(live).toContainText("Working");
  await expect(admin.getByRole("status").filter({ hasText: "Working" })).toBeAttached();
  await accessible(admin);
  await claude.close();

  const record = await region.getByRole("link", { name: "Show it in the activity log" }).getAttribute("href");
  expect(record).toMatch(/^\/log\?record=/);
  await admin.reload();
  await expect(live).toHaveAttribute("aria-expanded", "false"); // done steps are closed
  await expect(admin.getByText("It works. Next, set your rules")).toBeVisible();
});

test("shows a viewer that a call arrived, without its arguments", async ({ browser, stack }) => {
  await stack.cli("roles", "add", "viewer", "ana@acme.test");
  const viewer = await colleague(stack, browser, "ana@acme.test");
  await step(viewer, "See the first call").click();
  await expect(viewer.getByText("Its arguments are for auditors and admins.")).toBeVisible();
  await expect(viewer.getByText("project = OPS")).toHaveCount(0);
  await viewer.context().close();
});

test("says what to do about what goes wrong, at Atlassian and with an assistant", async ({ admin, stack }) => {
  const remedies = {
    "Your organization admin must authorize access from this redirect URL": "Do what “Allow this domain in Rovo” says",
    "Access to this domain is restricted": "Rovo has passed it over",
    "Incorrect request parameters": "do what “Allow this domain in Rovo” says",
    "The domain is there, and people are refused all the same": "sign in from a private window",
    "People end on Atlassian's page and never come back": "Atlassian keeps people on its own page",
    "You don't have permission to connect from this IP address": "IP allowlists",
    "Your site admin must authorize this app": "Have an admin of the site sign in first",
    "This app has requested scopes": "--atlassian-scopes",
    "Claude or ChatGPT can't reach the server": "reachable from the internet",
    "Claude Code says": "claude mcp login sallyport",
    "The page says to remove the connection": "Remove Sallyport in the assistant and add it again",
    "An assistant asks people to sign in again": "Signing in again puts it right",
    "The assistant says that a call was blocked": "A rule or the default decision did that",
    "The assistant worked, and the activity log shows nothing": "It may still reach Rovo directly",
    "Rules about groups don't do what they say": "Sallyport learns groups from Jira",
  };
  for (const [trouble, remedy] of Object.entries(remedies)) {
    await admin.getByRole("button", { name: trouble }).click();
    await expect(admin.getByRole("region", { name: trouble }).getByText(remedy)).toBeVisible();
  }
  await expect(admin.getByText(`sallyport doctor --mcp-url ${stack.state.mcp_url}`)).toBeVisible();
  await admin.setViewportSize({ width: 360, height: 740 });
  expect(await admin.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  await accessible(admin);
});

function step(page: Page, title: string) {
  return page.getByRole("heading", { level: 2 }).getByRole("button", { name: title });
}

/** Has Cy sign in to Sallyport and come back, whatever Atlassian says. */
async function comeBack(stack: Stack, browser: Parameters<typeof colleague>[1]): Promise<void> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${stack.state.console_url}/signin`);
  await signInAs(page, "cy@acme.test", (url) => url.origin === stack.state.console_url);
  await context.close();
}
