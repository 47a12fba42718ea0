import type { Locator, Page } from "@playwright/test";
import { accessible } from "./accessible";
import { Assistant } from "./assistant";
import { colleague } from "./colleague";
import { expect, test } from "./fixtures";
import { writeHistory } from "./history";

test.describe.configure({ timeout: 120_000 });

const three = {
  default: "allow",
  rules: [
    { id: "first", operation: "delete*", effect: "deny", note: "AI may never delete anything" },
    { id: "second", who: "group:contractors", operation: "write*", effect: "deny", note: "Contractors only read" },
    { id: "third", client: "cursor", operation: "confluence *", effect: "deny", mode: "monitor" },
  ],
};

/** The operations of the rules in their order. */
async function operations(page: Page): Promise<string[]> {
  return page.getByRole("button", { name: /^Operation of rule/ }).allTextContents();
}

function rule(page: Page, number: number): Locator {
  return page
    .getByRole("row")
    .filter({ has: page.getByRole("button", { name: `Actions for rule ${number}`, exact: true }) });
}

async function act(page: Page, number: number, name: string): Promise<void> {
  // The one before takes a moment to close.
  await expect(page.getByRole("menu")).toHaveCount(0);
  await page.getByRole("button", { name: `Actions for rule ${number}`, exact: true }).click();
  await page.getByRole("menuitem", { name }).click();
}

test("rules are added, edited in place, duplicated, deleted, and all of that is undone", async ({ admin, stack }) => {
  await stack.apply(three);
  await admin.goto("/policy");
  await expect(rule(admin, 1)).toContainText("AI may never delete anything");
  await expect(rule(admin, 3)).toContainText("Monitor");
  await accessible(admin);

  await admin.getByRole("button", { name: "Note of rule 3 Add a note" }).click();
  await admin.getByRole("textbox", { name: "Note of rule 3" }).fill("Watching Cursor");
  await admin.keyboard.press("Enter");
  await expect(admin.getByRole("button", { name: "Note of rule 3 Watching Cursor" })).toBeFocused();
  await admin.getByRole("button", { name: "Mode of rule 3 Monitor" }).click();
  await admin.getByRole("option", { name: "On", exact: true }).click();
  await expect(admin.getByRole("button", { name: "Mode of rule 3 On" })).toBeFocused();
  await admin.getByRole("button", { name: "Effect of rule 2 Deny" }).press("Enter");
  await admin.getByRole("option", { name: "Allow" }).click();
  await expect(rule(admin, 2)).toContainText("Allow");
  await act(admin, 2, "Only verified clients");
  await expect(admin.getByRole("button", { name: "AI client of rule 2 Any client only if verified" })).toBeVisible();
  await expect(admin.getByRole("region", { name: "Unsaved changes" })).toContainText("2 rules changed");

  await act(admin, 1, "Duplicate");
  expect(await operations(admin)).toEqual(["delete*", "delete*", "write*", "confluence *"]);
  await act(admin, 1, "Delete");
  await expect(admin.getByRole("button", { name: "Actions for rule 1", exact: true })).toBeFocused();
  expect(await operations(admin)).toEqual(["delete*", "write*", "confluence *"]);

  await admin.getByRole("button", { name: "Add rule", exact: true }).click();
  await admin.keyboard.type("claude");
  await admin.keyboard.press("Enter");
  await admin.getByRole("button", { name: "Operation of rule 1 Anything" }).click();
  await admin.keyboard.type("getJiraIssue");
  await admin.keyboard.press("Enter");
  await expect(rule(admin, 1)).toContainText("claudeAnybodygetJiraIssueDeny");
  await accessible(admin);

  for (let undone = 0; undone < 2; undone++) await admin.keyboard.press("Control+z");
  await expect(rule(admin, 1)).toContainText("Any clientAnybodyAnythingDeny");
  await admin.keyboard.press("Control+Shift+z");
  await expect(rule(admin, 1)).toContainText("claudeAnybodyAnythingDeny");
  await admin.getByRole("button", { name: "Discard" }).click();
  expect(await operations(admin)).toEqual(["delete*", "write*", "confluence *"]);
  await expect(admin.getByRole("region", { name: "Unsaved changes" })).toBeHidden();
  await admin.getByRole("button", { name: "Undo" }).click();
  expect(await operations(admin)).toEqual(
    ["*", "delete*", "write*", "confluence *"].map((o) => o.replace(/^\*$/, "Anything")),
  );
});

test("rules are moved by mouse, by Alt with an arrow, and by the menu, which is announced", async ({
  admin,
  stack,
}) => {
  await stack.apply(three);
  await admin.goto("/policy");
  await admin.getByRole("button", { name: "Operation of rule 1 delete*" }).focus();
  await admin.keyboard.press("Alt+ArrowDown");
  await expect(admin.getByRole("button", { name: "Operation of rule 2 delete*" })).toBeFocused();
  await expect(admin.getByText("The rule is now number 2 of 3.")).toBeAttached();
  await admin.keyboard.press("Alt+ArrowUp");
  expect(await operations(admin)).toEqual(["delete*", "write*", "confluence *"]);
  await act(admin, 3, "Move to the top");
  expect(await operations(admin)).toEqual(["confluence *", "delete*", "write*"]);
  await expect(admin.getByRole("region", { name: "Unsaved changes" })).toContainText("another order");

  const grip = rule(admin, 1).getByRole("rowheader");
  const target = await rule(admin, 3).boundingBox();
  if (!target) throw new Error("rule 3 isn't shown");
  await grip.dragTo(rule(admin, 3), { targetPosition: { x: 100, y: target.height - 3 } });
  await expect.poll(() => operations(admin)).toEqual(["delete*", "write*", "confluence *"]);
});

test("pickers offer what exists and take what is typed; the tools that an operation matches show", async ({
  admin,
  browser,
  stack,
}) => {
  await stack.apply(three);
  const ana = await Assistant.connect(stack.state.mcp_url, browser, "ana@acme.test", "Claude Code");
  await ana.call("getJiraIssue", { issueIdOrKey: "OPS-1" });
  await ana.close();
  await admin.goto("/policy");

  await admin.getByRole("button", { name: "AI client of rule 1" }).click();
  await expect(admin.getByRole("option", { name: /^claude-code Claude Code/ })).toBeVisible();
  await accessible(admin);
  await admin.getByRole("option", { name: /^claude-code/ }).click();
  await admin.getByRole("button", { name: "AI client of rule 1 claude-code" }).click();
  await admin.getByRole("option", { name: "Only if its identity is verified" }).click();
  await expect(admin.getByRole("button", { name: "AI client of rule 1 claude-code only if verified" })).toBeFocused();

  await admin.getByRole("button", { name: "User group or person of rule 1" }).click();
  await expect(admin.getByRole("option", { name: "site-admins" })).toBeVisible();
  await admin.keyboard.type("ana");
  await admin.getByRole("option", { name: /^ana@acme.test/ }).click();
  await expect(rule(admin, 1)).toContainText("ana@acme.test");
  await admin.getByRole("button", { name: "User group or person of rule 3" }).click();
  await admin.keyboard.type("dana@acme.test");
  await admin.keyboard.press("Enter");
  await expect(rule(admin, 3)).toContainText("dana@acme.test");

  await admin.getByRole("button", { name: "Operation of rule 3" }).click();
  await expect(admin.getByRole("option", { name: "delete* Anything that deletes" })).toBeVisible();
  await expect(admin.getByRole("option", { name: /^jira$/ })).toBeVisible();
  await admin.keyboard.press("Backspace");
  await admin.keyboard.press("Backspace");
  await admin.keyboard.type("jira searchJira*");
  await expect(admin.getByText(/^Matches \d+ of \d+ known operations: searchJira/)).toBeVisible();
  await admin.keyboard.press("Backspace");
  await expect(admin.getByText(/^jira searchJira matches none of/)).toBeVisible();
  await accessible(admin);
  await admin.keyboard.press("Escape");
  await expect(admin.getByRole("button", { name: "Operation of rule 3 confluence *" })).toBeFocused();

  await stack.turn("lose_groups", 503);
  try {
    await admin.reload();
    await admin.getByRole("button", { name: "User group or person of rule 1" }).click();
    await expect(admin.getByText(/Jira/).last()).toBeVisible();
  } finally {
    await stack.turn("lose_groups", 0);
  }
});

test("lint stands beside the rule, and what a save would be refused for beside the field", async ({ admin, stack }) => {
  await stack.apply({
    default: "allow",
    rules: [
      { operation: "delete*", effect: "deny" },
      { operation: "deleteJiraIssue", effect: "allow" },
      { who: "group:developer", effect: "deny" },
    ],
  });
  await admin.goto("/policy");
  await expect(admin.getByText(/^Rule 2 is never reached: rule 1/)).toBeVisible();
  await admin.getByRole("button", { name: "Use group:developers" }).click();
  await expect(rule(admin, 3)).toContainText("developers");
  await expect(admin.getByText(/The site has no group/)).toBeHidden();

  await admin.getByRole("button", { name: "User group or person of rule 3" }).click();
  await admin.keyboard.type("nobody in particular");
  await admin.keyboard.press("Enter");
  await expect(rule(admin, 3)).toContainText(`"nobody in particular" isn't any, group:NAME or user:EMAIL`);
  await admin.getByRole("button", { name: "Review and save" }).click();
  await expect(admin.getByRole("alert")).toContainText("The policy has errors and is not in force");
  await accessible(admin);
});

test("before saving there is the difference and what it would have changed; saving says in force", async ({
  admin,
  browser,
  stack,
}) => {
  await stack.apply(three);
  const ana = await Assistant.connect(stack.state.mcp_url, browser, "ana@acme.test", "Claude Code");
  expect((await ana.call("getJiraIssue", { issueIdOrKey: "OPS-3" })).isError).toBe(false);
  await expect.poll(() => stack.cli("log", "--query", "OPS-3")).toContain("getJiraIssue");

  await admin.goto("/policy");
  await admin.getByRole("radiogroup", { name: "Where no rule matches" }).getByText("Deny").click();
  await act(admin, 3, "Delete");
  await admin.getByRole("button", { name: "Review and save" }).click();
  const dialog = admin.getByRole("dialog");
  await expect(dialog.getByRole("region", { name: "The difference" })).toContainText(
    "Where no rule matches: Allow is now→ Deny",
  );
  await expect(dialog.getByRole("region", { name: "The difference" })).toContainText("Rule 3 is removed");
  const week = dialog.getByRole("region", { name: "In the last 7 days" });
  await expect(week).toContainText(/Of [\d,]+ calls? in the last 7 days, [\d,]+ would have been blocked/);
  await expect(week.getByRole("row").filter({ hasText: "getJiraIssue" }).first()).toContainText(
    "allowed → blocked, default",
  );
  await accessible(admin);
  await dialog.getByRole("textbox", { name: "Why" }).fill("Closed by default");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(admin.getByText(/^Version \d+ of the policy is in force\.$/)).toBeVisible();
  await expect(
    admin.getByText(/^Version \d+ is in force · saved by bo@acme.test, .* · Closed by default$/),
  ).toBeFocused();
  await expect(admin.getByRole("region", { name: "Unsaved changes" })).toBeHidden();
  await accessible(admin);
  expect((await ana.call("getJiraIssue", { issueIdOrKey: "OPS-3" })).isError).toBe(true);
  await ana.close();
});

test("how far it is with what a save would have changed shows meanwhile", async ({ admin, stack }) => {
  // More than are read at a time.
  const calls = Array.from({ length: 2_600 }, (_, i) => ({
    id: `simulated-${process.pid}-${i}`,
    at: new Date(Date.now() - i * 60_000),
  }));
  await writeHistory(stack, calls);
  await stack.apply(three);
  await admin.goto("/policy");
  await act(admin, 1, "Delete");
  await admin.evaluate(() => {
    const said = new Set<string>();
    Object.assign(window, { said });
    const look = () => said.add(document.querySelector("[role=dialog] [role=status]")?.textContent ?? "");
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  stack.pause("elasticsearch");
  try {
    await admin.getByRole("button", { name: "Review and save" }).click();
    await expect(admin.getByText("Deciding the calls of the last 7 days again.")).toBeVisible();
    await expect(admin.getByRole("progressbar", { name: "Calls decided again" })).toBeAttached();
    await accessible(admin);
  } finally {
    stack.resume("elasticsearch");
  }
  await expect(admin.getByRole("region", { name: "In the last 7 days" })).toContainText("would have been");
  const said = await admin.evaluate(() => [...(window as unknown as { said: Set<string> }).said]);
  expect(said.join("\n")).toMatch(/Decided 2,500 of [\d,]+ calls again\./);
});

test("somebody else saved meanwhile: both sides show, and either can be gone on with", async ({ admin, stack }) => {
  const theirs = {
    ...three,
    rules: three.rules.map((rule) => (rule.id === "second" ? { ...rule, note: "Theirs" } : rule)),
  };
  await stack.apply(three);
  await admin.goto("/policy");
  await act(admin, 2, "Only verified clients");
  await act(admin, 3, "Move to the top");
  await stack.apply(theirs, "Says it better");
  await admin.getByRole("button", { name: "Review and save" }).click();
  const dialog = admin.getByRole("dialog");
  await expect(dialog.getByRole("alert")).toContainText(/Version \d+ was saved by admin.*Says it better/);
  await expect(dialog.getByText("Note: Contractors only read is now→ Theirs")).toBeVisible();
  await expect(dialog.getByText("Only if verified: no is now→ yes")).toBeVisible();
  await accessible(admin);

  await dialog.getByRole("button", { name: "Put mine on top" }).click();
  await expect(dialog.getByRole("region", { name: "The difference" })).toContainText("Rule 1 was rule 3");
  await expect(dialog.getByRole("region", { name: "The difference" })).not.toContainText("Theirs → ");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(admin.getByText(/^Version \d+ of the policy is in force\.$/)).toBeVisible();
  const saved = await stack.cli("policy", "get");
  expect([...saved.matchAll(/ id: (\w+)/g)].map(([, id]) => id)).toEqual(["third", "first", "second"]);
  expect(saved).toMatch(/note: Theirs\s+verified: true/);

  await act(admin, 1, "Delete");
  await stack.apply(three);
  await admin.getByRole("button", { name: "Review and save" }).click();
  await dialog.getByRole("button", { name: "Take theirs" }).click();
  await expect.poll(() => operations(admin)).toEqual(["delete*", "write*", "confluence *"]);
  await expect(admin.getByRole("region", { name: "Unsaved changes" })).toBeHidden();
});

test("the history says who, when and why, compares any two versions, and rolls back", async ({ admin, stack }) => {
  await stack.apply(three, "Three rules");
  await stack.apply({ ...three, default: "deny" }, "Closed");
  await stack.apply({ ...three, rules: three.rules.slice(0, 1) }, "One rule");
  const last = Number(/^version: (\d+)/m.exec(await stack.cli("policy", "get"))?.[1]);

  await admin.goto("/policy");
  await admin.getByRole("tab", { name: "History" }).click();
  const versions = admin.getByRole("navigation", { name: "Versions" });
  await expect(versions.getByRole("link").first()).toContainText(/Version \d+in force.*adminOne rule3 changes/);
  await accessible(admin);
  await admin.goto(`/policy?version=${last - 1}`);
  const closed = admin.getByRole("region", { name: `Version ${last - 1}` });
  await expect(closed).toContainText("Closed");
  await expect(closed).toContainText("Where no rule matches: Allow is now→ Deny");
  await closed.getByRole("combobox", { name: "Compare with" }).click();
  await admin.getByRole("option", { name: `Version ${last}, in force` }).click();
  await expect(closed.getByRole("region", { name: `What is different from version ${last}` })).toContainText(
    "Rule 2 is new",
  );

  await versions.getByRole("link", { name: `Version ${last - 2}` }).click();
  const earlier = admin.getByRole("region", { name: `Version ${last - 2}` });
  await earlier.getByRole("button", { name: "Roll back to this version" }).click();
  const dialog = admin.getByRole("dialog");
  await expect(dialog.getByRole("textbox", { name: "Why" })).toHaveValue(`Roll back to version ${last - 2}`);
  await expect(dialog).toContainText("Rule 3 is new");

  await stack.apply({ ...three, default: "deny" }, "Closed again");
  await dialog.getByRole("button", { name: "Roll back" }).click();
  await expect(dialog.getByRole("alert")).toContainText(/Version \d+ was saved by admin.*Closed again/);
  await expect(dialog.getByText("takes back what they changed, too")).toBeVisible();
  await accessible(admin);
  await dialog.getByRole("button", { name: "Roll back all the same" }).click();
  await expect(dialog.getByRole("region", { name: "The difference" })).toContainText(
    "Where no rule matches: Deny is now→ Allow",
  );
  await dialog.getByRole("button", { name: "Roll back" }).click();
  await expect(admin.getByText(`Version ${last + 2} of the policy is in force.`)).toBeVisible();
  await admin.getByRole("tab", { name: "Rules" }).click();
  await expect.poll(() => operations(admin)).toEqual(["delete*", "write*", "confluence *"]);
});

test("a call can be tried on the draft and on the policy in force, with arguments", async ({ admin, stack }) => {
  await stack.apply(three);
  await admin.goto("/policy");
  await act(admin, 1, "Delete");
  await admin.getByRole("button", { name: "Try it" }).click();
  const panel = admin.getByRole("dialog", { name: "Try it" });
  await panel.getByRole("combobox", { name: "Person" }).fill("cy@acme.test");
  await panel.getByRole("combobox", { name: "Operation" }).fill("execute");
  await panel.getByRole("textbox", { name: "Arguments" }).fill('{"name": "deleteJiraIssue"}');
  await panel.getByRole("button", { name: "Try it" }).click();
  const decision = panel.getByRole("region", { name: "Decision" });
  await expect(decision).toContainText("deleteJiraIssue would be blocked by rule 1: Contractors only read.");
  await expect(decision).toContainText("called through execute");
  await accessible(admin);
  await panel.getByText("In force").click();
  await expect(decision).toContainText("blocked by rule 1: AI may never delete anything.");
  await panel.getByRole("combobox", { name: "Person" }).fill("ana@acme.test");
  await panel.getByRole("combobox", { name: "Operation" }).fill("getJiraIssue");
  await panel.getByRole("textbox", { name: "Arguments" }).fill("{");
  await panel.getByRole("button", { name: "Try it" }).click();
  await expect(panel.getByText(/^Write a JSON object/)).toBeVisible();
  await panel.getByRole("textbox", { name: "Arguments" }).fill("");
  await panel.getByRole("button", { name: "Try it" }).click();
  await expect(decision).toContainText("no rule matches, and the default is allow");
  await expect(decision.getByText("3 rules on the way don't match")).toBeVisible();
});

test("a viewer sees all that and may try it, and is told why saving isn't for them", async ({ browser, stack }) => {
  await stack.apply(three);
  await stack.cli("roles", "add", "viewer", "cy@acme.test");
  const page = await colleague(stack, browser, "cy@acme.test", "/policy");
  await act(page, 1, "Delete");
  await page.getByRole("button", { name: "Review and save" }).click();
  await expect(page.getByRole("dialog")).toContainText("Only admins put a policy in force, and you are viewer.");
  await expect(page.getByRole("region", { name: "The difference" })).toContainText("Rule 1 is removed");
  await expect(page.getByRole("button", { name: "Save", exact: true })).toBeDisabled();
  await accessible(page);
  await page.context().close();
});

test("leaving with unsaved changes asks first, and loading the page again keeps them", async ({ admin, stack }) => {
  await stack.apply(three);
  await admin.goto("/policy");
  await act(admin, 1, "Delete");
  await admin.getByRole("link", { name: "Activity log" }).click();
  const dialog = admin.getByRole("dialog", { name: "Leave without saving?" });
  await accessible(admin);
  await dialog.getByRole("button", { name: "Stay" }).click();
  expect(await operations(admin)).toEqual(["write*", "confluence *"]);

  const asked = admin.waitForEvent("dialog");
  const reload = admin.reload().catch(() => {});
  const browserAsks = await asked;
  expect(browserAsks.type()).toBe("beforeunload");
  await browserAsks.accept();
  await reload;
  await expect.poll(() => operations(admin)).toEqual(["write*", "confluence *"]);

  await admin.getByRole("link", { name: "Activity log" }).click();
  await dialog.getByRole("button", { name: "Leave" }).click();
  await expect(admin.getByRole("heading", { level: 1, name: "Activity log" })).toBeVisible();
});

test("an address shows a rule, or begins with a new one", async ({ admin, stack }) => {
  const rules = Array.from({ length: 60 }, (_, i) => ({ id: `rule${i}`, operation: `tool${i}`, effect: "deny" }));
  await stack.apply({ default: "allow", rules });
  await admin.goto("/policy?rule=rule55");
  await expect(rule(admin, 56)).toBeInViewport();
  await expect(rule(admin, 1)).not.toBeInViewport();

  await admin.goto(
    "/policy?add=1&client=claude-code&who=user:ana@acme.test&operation=getJiraIssue&effect=deny&note=Not%20this",
  );
  await expect(rule(admin, 1)).toContainText("claude-codeana@acme.testgetJiraIssueDenyNot thisOn");
  await expect(admin.getByRole("region", { name: "Unsaved changes" })).toContainText("1 rule added");
  await expect(admin).toHaveURL(/\/policy$/);
});

test("at 360 px a rule is a card, and a policy without rules says what to do", async ({ admin, stack }) => {
  await stack.apply(three);
  await admin.setViewportSize({ width: 360, height: 740 });
  await admin.goto("/policy");
  await expect(rule(admin, 1)).toContainText("AI may never delete anything");
  expect(await admin.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  await act(admin, 2, "Move up");
  await expect.poll(() => operations(admin)).toEqual(["write*", "delete*", "confluence *"]);
  await accessible(admin);
  for (let left = 3; left > 0; left--) await act(admin, 1, "Delete");
  await expect(admin.getByRole("heading", { name: "There are no rules" })).toBeVisible();
  await accessible(admin);
});
