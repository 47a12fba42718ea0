import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import dayjs from "dayjs";
import { accessible } from "./accessible";
import { Assistant } from "./assistant";
import { colleague } from "./colleague";
import { expect, test } from "./fixtures";
import { type Call, writeHistory } from "./history";
import type { Stack } from "./stack";

test.describe.configure({ timeout: 120_000 });

const minute = 60_000;

/** Calls of a session of its own, a second apart, the last of them a few minutes ago. */
async function history(stack: Stack, calls: Partial<Call>[]): Promise<string> {
  const session = randomUUID();
  await writeHistory(
    stack,
    calls.map((call, i) => ({
      id: `${session}-${i}`,
      at: new Date(Date.now() - 5 * minute - (calls.length - i) * 1_000),
      session,
      ...call,
    })),
  );
  return session;
}

/** The rows of records, without the titles. */
const rows = (page: Page) => page.getByRole("rowgroup").getByRole("row");
const panel = (page: Page) => page.getByRole("dialog", { name: "Record" });

/** Scrolls down to the last of n records, in the page, and returns their numbers as they were seen, and the most rows at once. */
async function scrollThrough(n: number): Promise<{ seen: number[]; most: number }> {
  const seen: number[] = [];
  let most = 0;
  const end = performance.now() + 100_000;
  while (seen.length < n && performance.now() < end) {
    await new Promise(requestAnimationFrame);
    const shown = [...document.querySelectorAll("[role=rowgroup] > [role=row]")];
    most = Math.max(most, shown.length);
    const numbers = shown.flatMap((row) => {
      const number = /getJiraIssue(\d+)/.exec(row.textContent ?? "")?.[1];
      return number ? [Number(number)] : [];
    });
    // What is seen twice in the page, or in another order, shows in the result.
    const next = numbers.findIndex((number) => number > (seen.at(-1) ?? -1));
    if (next >= 0) seen.push(...numbers.slice(next));
    window.scrollBy(0, window.innerHeight * 0.9);
  }
  return { seen, most };
}

test("a call comes in by itself, and its panel says all of it", async ({ admin, stack, browser }) => {
  await stack.apply({
    default: "allow",
    rules: [{ operation: "delete*", effect: "deny", note: "Ask before you delete" }],
  });
  const assistant = await Assistant.connect(stack.state.mcp_url, browser, "ana@acme.test", "Claude Code");
  await admin.goto("/log");
  await expect(admin.getByRole("switch", { name: "Live" })).toBeChecked();

  await assistant.call("getJiraIssue", { issueIdOrKey: "OPS-7" });
  const read = rows(admin).first();
  await expect(read).toContainText("getJiraIssue");
  await expect(admin.getByRole("columnheader")).toHaveText([
    "Time",
    "User",
    "Source",
    "Operation",
    "Decision",
    "Result",
  ]);
  await expect(read).toContainText("Ana Albarn");
  await expect(read).toContainText("ana@acme.test");
  await expect(read).toContainText("Claude Code");
  await expect(read).toContainText("claimed");
  await expect(read).toContainText("Allowed");
  await expect(read, "its end comes when it is known").toContainText(/OK 200.*B · /);

  await assistant.call("deleteJiraIssue", { issueIdOrKey: "OPS-8", password: "hunter2" });
  const blocked = rows(admin).first();
  await expect(blocked).toContainText("deleteJiraIssue");
  await expect(blocked).toContainText("Blocked");
  await expect(blocked).toContainText("rule 1: Ask before you delete");
  await blocked.click();

  const record = panel(admin);
  await expect(record.getByRole("heading", { name: "deleteJiraIssue" })).toBeVisible();
  await expect(record).toContainText("Blocked by rule 1: Ask before you delete");
  await expect(record).toContainText("Deny delete* to anybody with any assistant.");
  await expect(record.getByRole("link", { name: "rule 1" })).toHaveAttribute("href", /^\/policy\?rule=.+/);
  await expect(record.getByRole("link", { name: /^Version \d+$/ })).toHaveAttribute("href", /^\/policy\?version=\d+$/);
  await expect(record).toContainText("developers");
  const args = record.getByRole("region", { name: "Arguments" });
  await expect(args).toContainText('"issueIdOrKey": "OPS-8"');
  await expect(args.locator("mark")).toHaveText("[a text was cut out: the key looks secret]");
  await expect(args).not.toContainText("hunter2");
  await expect(record.getByRole("button", { name: "Copy the arguments" })).toBeVisible();
  await expect(record).toContainText("None of it at Atlassian");
  await expect(record.getByRole("link", { name: "Make a rule from this" })).toHaveAttribute(
    "href",
    "/policy?add=1&client=claude-code&who=user%3Aana%40acme.test&operation=deleteJiraIssue&effect=allow",
  );
  await accessible(admin);

  await record.getByRole("tab", { name: "Same session" }).click();
  await expect(record.getByText(/calls? in this session/)).toBeVisible();
  await record.getByRole("link", { name: /getJiraIssue/ }).click();
  await expect(record.getByRole("heading", { name: "getJiraIssue" })).toBeVisible();
  await accessible(admin);
  await record.getByRole("tab", { name: "Details" }).click();
  await expect(record).toContainText(/Atlassian \d+ ms · Sallyport/);
  await record.getByRole("tab", { name: "Atlassian audit JSON" }).click();
  await expect(record.getByRole("region", { name: "Atlassian audit JSON" })).toContainText('"rovo_mcp_tool_called"');
  await record.getByText("Confluence").click();
  await expect(record).toContainText("has no form in confluence's audit log");
  await accessible(admin);

  await record.getByRole("button", { name: "Disconnect" }).click();
  const sure = admin.getByRole("dialog", { name: /Ana Albarn/ });
  await expect(sure).toBeVisible();
  await sure.getByRole("button", { name: "Cancel" }).click();

  await admin.keyboard.press("Escape");
  await expect(record).toBeHidden();
  expect(new URL(admin.url()).search).toBe("");
  await assistant.close();
});

test("a view is a link: words, filters and times are in the address", async ({ admin, stack, bo, browser }) => {
  const session = await history(stack, [
    ...Array.from({ length: 4 }, (_, i) => ({ operation: i % 2 ? "getJiraIssue" : "searchConfluenceUsingCql" })),
    {
      operation: "deleteJiraIssue",
      blocked: true,
      arguments: { issueIdOrKey: "OPS-4711", why: "the printer smoulders" },
    },
  ]);
  await admin.goto(`/log?session=${session}`);
  await expect(admin.getByText("5 records")).toBeVisible();
  await expect(rows(admin)).toHaveCount(5);

  const box = admin.getByRole("searchbox", { name: "Search" });
  await admin.keyboard.press("/");
  await expect(box).toBeFocused();
  await box.pressSequentially("printer OPS-4711");
  await expect(admin).toHaveURL(`${stack.state.console_url}/log?session=${session}&query=printer+OPS-4711`);
  await expect(rows(admin)).toHaveCount(1);
  await admin.getByRole("button", { name: "Clear the search" }).click();
  await expect(rows(admin)).toHaveCount(5);

  await admin.getByRole("button", { name: "Operation" }).click();
  await expect(admin.getByRole("option", { name: "getJiraIssue 2" })).toBeVisible();
  await accessible(admin);
  await admin.getByRole("option", { name: "getJiraIssue 2" }).click();
  await expect(admin).toHaveURL(/operation=getJiraIssue/);
  await expect(rows(admin)).toHaveCount(2);
  await admin.getByRole("button", { name: "Decision" }).click();
  await expect(admin.getByRole("option", { name: "Blocked 0" })).toBeVisible();
  await admin.getByRole("option", { name: "Blocked 0" }).click();

  await test.step("nothing found says which filter is in the way", async () => {
    await expect(admin.getByRole("heading", { name: "Nothing found" })).toBeVisible();
    await expect(admin.getByRole("button", { name: "Without Decision “Blocked”: 2 records" })).toBeVisible();
    await accessible(admin);
    await admin.getByRole("button", { name: "Without Operation “getJiraIssue”: 1 record" }).click();
    await expect(rows(admin)).toHaveCount(1);
  });
  await test.step("back and forward go through the filters", async () => {
    await admin.goBack();
    await expect(admin.getByRole("heading", { name: "Nothing found" })).toBeVisible();
    await admin.goBack();
    await expect(rows(admin)).toHaveCount(2);
    await admin.goForward();
    await admin.goForward();
    await expect(rows(admin)).toHaveCount(1);
  });
  await test.step("the link shows somebody else the same", async () => {
    await rows(admin).click();
    await expect(panel(admin)).toBeVisible();
    const context = await browser.newContext({ baseURL: stack.state.console_url, storageState: bo });
    const other = await context.newPage();
    await other.goto(admin.url());
    await expect(panel(other).getByRole("heading", { name: "deleteJiraIssue" })).toBeVisible();
    await expect(other.getByRole("button", { name: "Decision: Blocked" })).toBeVisible();
    await other.goto(`/log?session=none&record=${session}-0`);
    await expect(panel(other).getByRole("heading", { name: "searchConfluenceUsingCql" })).toBeVisible();
    await context.close();
  });

  await test.step("more filters, and times", async () => {
    await admin.goto(`/log?session=${session}`);
    await admin.getByRole("button", { name: "More filters" }).click();
    await admin.getByRole("menuitem", { name: "Family" }).click();
    await admin.getByRole("option", { name: /^delete/ }).click();
    await expect(admin).toHaveURL(/family=delete/);
    await expect(rows(admin)).toHaveCount(1);
    await admin.getByRole("button", { name: "Remove the filter Family" }).click();
    await expect(rows(admin)).toHaveCount(5);
    await admin.getByRole("button", { name: "Time", exact: true }).click();
    await accessible(admin);
    await admin.getByRole("button", { name: "Last hour" }).click();
    await expect(admin).toHaveURL(/since=1h/);
    await expect(rows(admin)).toHaveCount(5);
    await admin.getByRole("button", { name: "Clear filters" }).click();
    await expect(admin).toHaveURL(`${stack.state.console_url}/log`);
  });
  await test.step("a view that ends can't be live, and says why", async () => {
    await admin.goto(`/log?session=${session}&until=${new Date().toISOString()}`);
    await expect(rows(admin)).toHaveCount(5);
    await expect(admin.getByRole("switch", { name: "Live" })).toBeDisabled();
    await expect(admin.getByText("What is recorded now is later than this view ends.")).toBeAttached();
  });
});

test("thousands of records scroll with a few rows in the page, in order and each once", async ({ admin, stack }) => {
  test.setTimeout(120_000);
  const n = 3_200;
  const session = await history(
    stack,
    Array.from({ length: n }, (_, i) => ({ operation: `getJiraIssue${String(n - 1 - i).padStart(4, "0")}` })),
  );
  await admin.goto(`/log?session=${session}`);
  await expect(admin.getByText("3,200 records")).toBeVisible();

  const { seen, most } = await admin.evaluate(scrollThrough, n);
  expect(seen, "in order, each once").toEqual(Array.from({ length: n }, (_, i) => i));
  expect(most, "rows in the page").toBeLessThan(60);

  await test.step("pages that were left are asked for again on the way back", async () => {
    await admin.mouse.wheel(0, -52 * 1_000);
    await expect(
      rows(admin)
        .getByText(/^getJiraIssue\d+$/)
        .first(),
    ).toBeAttached();
    await admin.evaluate(() => window.scrollTo({ top: 0 }));
    await expect(rows(admin).first()).toContainText("getJiraIssue0000");
  });
});

test("new records don't move what one reads, and a pill says how many there are", async ({ admin, stack, browser }) => {
  await stack.apply({ default: "allow" });
  await history(
    stack,
    Array.from({ length: 60 }, (_, i) => ({ operation: `getReading${i}` })),
  );
  const assistant = await Assistant.connect(stack.state.mcp_url, browser, "ana@acme.test", "Claude Code");
  await admin.goto("/log");
  await expect(rows(admin).nth(10)).toBeVisible();
  await admin.mouse.move(600, 500);
  await admin.mouse.wheel(0, 900);
  const read = rows(admin).getByText("getReading4", { exact: false }).first();
  const place = await read.boundingBox();

  await assistant.call("getJiraIssue", { issueIdOrKey: "OPS-1" });
  await assistant.call("getJiraIssue", { issueIdOrKey: "OPS-2" });
  const pill = admin.getByRole("button", { name: "2 new" });
  await expect(pill).toBeVisible();
  expect(await read.boundingBox()).toEqual(place);
  await accessible(admin);
  await pill.click();
  await expect(rows(admin).nth(1)).toBeInViewport();
  await expect(rows(admin).nth(0)).toContainText("getJiraIssue");
  await expect(rows(admin).nth(1)).toContainText("getJiraIssue");

  await test.step("where Sallyport is away it goes on from where it was", async () => {
    await stack.part("stop", "admin");
    await expect(admin.getByText("connecting", { exact: false })).toBeVisible();
    await assistant.call("listJiraStatuses", {});
    await stack.part("start", "admin");
    await expect(rows(admin).first()).toContainText("listJiraStatuses");
    await expect(admin.getByText("connecting")).toBeHidden();
  });
  await test.step("switched off, nothing comes in", async () => {
    await admin.getByRole("switch", { name: "Live" }).press("Space");
    const first = await rows(admin).first().textContent();
    await assistant.call("listJiraProjects", {});
    await expect.poll(() => stack.cli("log", "--limit", "1")).toContain("listJiraProjects");
    await expect(rows(admin).first()).toHaveText(first ?? "");
    await admin.getByRole("switch", { name: "Live" }).press("Space");
    await expect(rows(admin).first()).toContainText("listJiraProjects");
  });
  await assistant.close();
});

test("a range of one's own is picked and applied", async ({ admin, stack }) => {
  const session = await history(stack, [{}, { at: new Date(Date.now() - 3 * 24 * 60 * minute) }]);
  const pick = async (field: string, ago: number) => {
    const calendar = admin.getByRole("dialog", { name: field });
    await calendar.getByRole("button", { name: dayjs().subtract(ago, "day").format("D MMMM YYYY") }).click();
    await calendar.getByRole("button", { name: "Done" }).click();
    await expect(calendar).toBeHidden();
  };
  await admin.goto(`/log?session=${session}`);
  await expect(rows(admin)).toHaveCount(2);
  const cut = ({ scrollWidth, clientWidth }: HTMLElement) => scrollWidth > clientWidth;
  expect(
    await rows(admin)
      .last()
      .locator('[class*="first"]', { has: admin.locator("time") })
      .evaluate(cut),
  ).toBe(false);
  await admin.getByRole("button", { name: "Time", exact: true }).click();
  const time = admin.getByRole("dialog", { name: "Time" });
  await time.getByRole("button", { name: "From" }).click();
  await accessible(admin);
  await pick("From", 1);
  await time.getByRole("button", { name: "Until" }).click();
  await pick("Until", 2);
  await expect(time).toContainText("The end has to be after the beginning.");
  await expect(time.getByRole("button", { name: "Apply" })).toBeDisabled();
  await accessible(admin);
  await time.getByRole("button", { name: "Clear" }).last().click();
  await time.getByRole("button", { name: "Apply" }).click();
  await expect(admin).toHaveURL(/since=\d{4}-\d\d-\d\dT\d\d%3A\d\d%3A00\.000Z$/);
  await expect(rows(admin)).toHaveCount(1);
  await expect(admin.getByRole("button", { name: /^Since / })).toBeFocused();
});

test("where the index is behind, the log and the settings say so", async ({ admin, stack, browser }) => {
  await stack.apply({ default: "allow" });
  const assistant = await Assistant.connect(stack.state.mcp_url, browser, "ana@acme.test", "Claude Code");
  await stack.part("stop", "accesslog");
  try {
    await assistant.call("getJiraIssue", { issueIdOrKey: "OPS-11" });
    await admin.goto("/settings#health");
    const health = admin.getByRole("region", { name: "Health" });
    await expect(health).toContainText("accesslogDown");
    await expect(health).toContainText(/Behind\d+ entr(y waits|ies wait) to be indexed, the oldest for \d+ s\./);
    await accessible(admin);
    await admin.goto("/log");
    await expect(admin.getByText(/^The log is \d+ s behind, by \d+ entr.* Nothing is lost/)).toBeVisible({
      timeout: 30_000,
    });
    await accessible(admin);
  } finally {
    await stack.part("start", "accesslog");
  }
  await expect(rows(admin).first()).toContainText("getJiraIssue");
  await expect(admin.getByText("The log is", { exact: false })).toBeHidden({ timeout: 30_000 });
  await assistant.close();
});

test("more than is kept while one reads is said, and the log begins anew when one goes to it", async ({
  admin,
  stack,
  browser,
}) => {
  await stack.apply({ default: "deny" });
  await history(
    stack,
    Array.from({ length: 60 }, (_, i) => ({ operation: `getManner${i}` })),
  );
  const assistant = await Assistant.connect(stack.state.mcp_url, browser, "ana@acme.test", "Claude Code");
  const call = (operation: string) => assistant.call(operation, {});
  const pill = admin.getByRole("button", { name: "1,000+ new" });
  await admin.goto("/log");
  await expect(rows(admin).nth(10)).toBeVisible();
  const readOn = async () => {
    await admin.mouse.move(600, 500);
    await admin.mouse.wheel(0, 900);
    await expect.poll(() => admin.evaluate(() => window.scrollY)).toBeGreaterThan(800);
    return rows(admin).getByText("getManner4", { exact: false }).first();
  };

  await test.step("the tail is too far behind to go on", async () => {
    const read = await readOn();
    const place = await read.boundingBox();
    await stack.part("stop", "admin");
    await call("getAway");
    const behind = { "content-type": "application/grpc-web+proto", "grpc-status": "11" }; // OUT_OF_RANGE
    await admin.route("**/TailActivity", (route) => route.fulfill({ headers: behind }), { times: 1 });
    await stack.part("start", "admin");
    await expect(pill).toBeVisible({ timeout: 30_000 });
    expect(await read.boundingBox()).toEqual(place);
    await accessible(admin);
    await pill.click();
    await expect(rows(admin).first()).toContainText("getAway");
  });
  await test.step("more came than are kept", async () => {
    await readOn();
    for (let calls = 0; calls < 1_001; calls += 91) {
      await Promise.all(Array.from({ length: 91 }, () => call("getMany")));
    }
    await expect(pill).toBeVisible();
    await pill.click();
    await expect(rows(admin).first()).toContainText("getMany");
    await expect(pill).toBeHidden();
  });
  await stack.apply({ default: "allow" });
  await assistant.close();
});

test("the log is gone through by keyboard alone", async ({ admin, stack }) => {
  const session = await history(
    stack,
    Array.from({ length: 150 }, (_, i) => ({ operation: `getKey${149 - i}` })),
  );
  await admin.goto(`/log?session=${session}`);
  await expect(rows(admin).first()).toContainText("getKey0");
  await admin.keyboard.press("/");
  await admin.keyboard.press("Enter");
  await expect(admin.getByRole("grid")).toBeFocused();
  await admin.keyboard.press("ArrowDown");
  await expect(admin.getByRole("row", { selected: true })).toContainText("getKey0");
  await admin.keyboard.press("j");
  await admin.keyboard.press("j");
  await admin.keyboard.press("k");
  await expect(admin.getByRole("row", { selected: true })).toContainText("getKey1");
  await admin.keyboard.press("Enter");
  await expect(panel(admin).getByRole("heading", { name: "getKey1" })).toBeVisible();
  await admin.keyboard.press("ArrowDown");
  await expect(panel(admin).getByRole("heading", { name: "getKey2" })).toBeVisible();
  await expect(admin).toHaveURL(new RegExp(`record=${session}-147$`));
  await admin.keyboard.press("Tab");
  await expect(panel(admin).getByRole("button", { name: "Close" })).toBeFocused();
  await admin.keyboard.press("Escape");
  await expect(panel(admin)).toBeHidden();
  await expect(admin.getByRole("grid")).toBeFocused();
  await admin.keyboard.press("End");
  await expect(admin.getByRole("row", { selected: true })).toBeInViewport();
  await expect(admin.getByRole("row", { selected: true })).toContainText("getKey99");
});

test("what admins do is a view of its own, and the narrow page has all of it", async ({ admin, stack }) => {
  await stack.apply({ default: "deny" }, "For the log");
  await admin.goto("/log");
  await admin.getByRole("tab", { name: "Admins" }).click();
  await expect(admin).toHaveURL(/administrative=1/);
  await expect(admin.getByRole("columnheader")).toHaveText(["Time", "User", "By", "Act", "On", "Result"]);
  await expect(rows(admin).first()).toContainText("policy.save");
  await expect(rows(admin).first()).toContainText("For the log");
  await expect(rows(admin).first()).toContainText("Done");
  await accessible(admin);
  await rows(admin).first().click();
  await expect(panel(admin).getByRole("heading", { name: "policy.save" })).toBeVisible();
  await expect(panel(admin).getByRole("button", { name: "Disconnect" })).toBeHidden();
  await stack.apply({ default: "allow" });

  await admin.setViewportSize({ width: 360, height: 640 });
  await accessible(admin);
  await panel(admin).getByRole("button", { name: "Close" }).click();
  await expect(rows(admin).first()).toContainText("policy.save");
  expect(await admin.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  await accessible(admin);
});

test("a view is exported as a file, or by a command", async ({ admin, stack }) => {
  const session = await history(
    stack,
    Array.from({ length: 120 }, () => ({})),
  );
  await admin.goto(`/log?session=${session}&query=%22OPS-17%22`);
  await admin.getByRole("button", { name: "Export" }).click();
  const dialog = admin.getByRole("dialog", { name: "Export" });
  await expect(dialog).toContainText("120 records of this view");
  await expect(dialog.getByText("sallyport log export --format csv")).toHaveText(
    `sallyport log export --format csv --output activity.csv --query '"OPS-17"' --session ${session}`,
  );
  await accessible(admin);
  const saved = admin.waitForEvent("download");
  await dialog.getByRole("button", { name: "Download" }).click();
  const lines = (await readFile(await (await saved).path(), "utf8")).trim().split("\r\n");
  expect(lines).toHaveLength(121);
  expect(lines[0]).toMatch(/^time,id,user_id/);
  await expect(dialog).toContainText("Saved 120 records.");
  await expect.poll(() => stack.cli("log", "--administrative", "--operation", "activity.export")).toContain(session);
});

test("a viewer sees no arguments, and why", async ({ browser, stack }) => {
  const session = await history(stack, [{ arguments: { summary: "unseen" } }]);
  await stack.cli("roles", "add", "viewer", "cy@acme.test");
  const page = await colleague(stack, browser, "cy@acme.test", `/log?session=${session}`);
  await expect(page.getByText("arguments are withheld from viewers, and not searched")).toBeVisible();
  await page.getByRole("button", { name: "More filters" }).click();
  await expect(page.getByRole("menuitem", { name: "Project" })).toBeDisabled();
  await expect(page.getByText("Projects are found in arguments, which viewers don't see.")).toBeVisible();
  await page.keyboard.press("Escape");
  await rows(page).first().click();
  await expect(panel(page)).toContainText("Withheld: you are a viewer, and an auditor may see them.");
  await expect(panel(page).getByRole("link", { name: "Make a rule from this" })).toBeHidden();
  await expect(panel(page)).toContainText("Admins can make a rule from this, and disconnect the person.");
  await expect(page.getByText("unseen")).toBeHidden();
  await page.goto("/log?project=OPS");
  await expect(page.getByRole("alert")).toContainText("which a viewer may not see");
  await page.context().close();
  await stack.cli("roles", "remove", "cy@acme.test");
});

test("where Sallyport doesn't answer, the rows stay, it is said, and tried again", async ({ admin, stack }) => {
  const session = await history(
    stack,
    Array.from({ length: 300 }, (_, i) => ({ operation: `getAway${299 - i}` })),
  );
  await admin.goto(`/log?session=${session}`);
  await expect(rows(admin).first()).toContainText("getAway0");
  const search = "**/sallyport.admin.v1.ActivityService/SearchActivity";
  await admin.route(search, (route) => route.abort());
  await admin.mouse.move(600, 500);
  await admin.mouse.wheel(0, 52 * 90);
  await expect(admin.getByRole("alert")).toContainText("Sallyport doesn't answer");
  await expect(admin.getByText("getAway95")).toBeAttached();
  await admin.unroute(search);
  await admin.getByRole("button", { name: "Try again" }).click();
  await expect(admin.getByRole("alert")).toBeHidden();
  await expect(admin.getByText("getAway105", { exact: true })).toBeAttached();
});
