import dayjs from "dayjs";
import { accessible } from "./accessible";
import { Assistant } from "./assistant";
import { expect, test } from "./fixtures";
import type { Stack } from "./stack";

/** An assistant of these tests alone, so that the numbers are theirs. */
const client = `Dashboard probe ${process.pid}`;
const narrowed = `client=${encodeURIComponent(client)}`;

const policy = {
  default: "allow",
  rules: [{ id: "no-deletes", operation: "delete*", effect: "deny", note: "Nothing is deleted" }],
};

let assistant: Assistant | undefined;

test.beforeAll(async ({ stack, browser }) => {
  await stack.apply(policy);
  assistant = await Assistant.connect(stack.state.mcp_url, browser, "ana@acme.test", client);
  await assistant.call("getJiraIssue", { issueIdOrKey: "OPS-1" });
  await assistant.call("getJiraIssue", { issueIdOrKey: "OPS-2" });
  expect((await assistant.call("getJiraIssue", { issueIdOrKey: "NO-1" })).isError).toBe(true);
  expect((await assistant.call("deleteJiraIssue", { issueIdOrKey: "OPS-3" })).isError).toBe(true);
  await indexed(stack, 4);
});

test.afterAll(() => assistant?.close());

/** Waits until so many calls, and what became of them, can be counted. */
async function indexed(stack: Stack, calls: number): Promise<void> {
  const ended = async () => {
    const { totals } = JSON.parse(await stack.cli("stats", "--since", "today", "--client", client, "--json"));
    return Number(totals.calls ?? 0) - Number(totals.unanswered ?? 0);
  };
  await expect.poll(ended).toBe(calls);
}

test("numbers of a range, each against the range before and with its calls in the log", async ({ admin }) => {
  await admin.goto(`/dashboard?range=today&${narrowed}`);
  for (const total of ["Calls: 4", "Allowed: 3", "Blocked: 1", "Block rate: 25%", "Errors: 1", "People: 1"]) {
    await expect(admin.getByRole("link", { name: `${total}, in the log` })).toBeVisible();
  }
  for (const measured of [/Latency p50: .* m?s/, /Latency p95: .* m?s/, /Sent: .* k?B/, /Received: .* k?B/]) {
    await expect(admin.getByRole("link", { name: measured })).toBeVisible();
  }
  await expect(admin.getByText(/^Atlassian .* m?s$/)).toHaveCount(2);
  await expect(admin.getByText("up from 0", { exact: true })).not.toHaveCount(0);
  await expect(admin.getByText(/Europe\/Berlin, against/)).toBeVisible();

  const log = async (name: string | RegExp) => {
    const href = await admin.getByRole("link", { name }).getAttribute("href");
    const { pathname, searchParams } = new URL(href ?? "", "http://console");
    expect(pathname).toBe("/log");
    expect(Date.parse(searchParams.get("since") ?? "")).toBeLessThan(Date.parse(searchParams.get("until") ?? ""));
    return Object.fromEntries([...searchParams].filter(([filter]) => !["since", "until"].includes(filter)));
  };
  expect(await log("Calls: 4, in the log")).toEqual({ client });
  expect(await log("Blocked: 1, in the log")).toEqual({ client, decision: "blocked" });
  expect(await log("Errors: 1, in the log")).toEqual({ client, outcome: "error" });
  expect(await log(/^getJiraIssue 3/)).toEqual({ client, operation: "getJiraIssue" });
  expect(await log(/^deleteJiraIssue all blocked 1/)).toEqual({ client, operation: "deleteJiraIssue" });
  expect(await log(/^ana@acme.test 1 blocked 4/)).toEqual({ client, user: "ana@acme.test" });
  expect(await log(/^1. Nothing is deleted 1/)).toEqual({ client, decision: "blocked", rule: "no-deletes" });
  await admin.getByRole("link", { name: "Blocked: 1, in the log" }).click();
  await expect(admin).toHaveURL(/\/log\?.*decision=blocked/);
});

test("allowed against blocked over time, as a picture and as a table", async ({ admin }) => {
  await admin.goto(`/dashboard?range=today&${narrowed}`);
  await expect(admin.getByRole("img", { name: /Bars of allowed and blocked/ })).toBeVisible();
  const button = admin.getByRole("button", { name: "The same as a table" });
  await expect(button).toHaveAttribute("aria-expanded", "false");
  await button.press("Enter");
  await expect(button).toHaveAttribute("aria-expanded", "true");
  const blocked = admin.getByRole("row").getByRole("link").and(admin.locator('[href*="decision=blocked"]'));
  await expect(blocked.first()).toHaveAttribute("href", /since=.*until=/);
  await accessible(admin);
  await admin.setViewportSize({ width: 360, height: 640 });
  expect(await admin.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
});

test("a range is in the address, and one without calls says what to do", async ({ admin }) => {
  await admin.goto(`/dashboard?${narrowed}`);
  await expect(admin.getByRole("radio", { name: "7 days" })).toBeChecked();
  await admin.getByRole("radio", { name: "7 days" }).press("ArrowRight");
  await expect(admin).toHaveURL(/range=30d/);
  await admin.getByRole("radio", { name: "30 days" }).press("ArrowRight");
  await expect(admin.getByText("Choose a range")).toBeVisible();
  await admin.getByRole("button", { name: "First and last day" }).click();
  await accessible(admin);
  const today = admin.getByRole("button", { name: dayjs().format("D MMMM YYYY") });
  await today.click();
  await today.click();
  await expect(admin).toHaveURL(/range=custom&start=[\d-]+&end=[\d-]+/);
  await expect(admin.getByRole("link", { name: "Calls: 4, in the log" })).toBeVisible();
  await accessible(admin);

  await admin.goto(`/dashboard?range=custom&start=2020-01-01&end=2020-01-03&${narrowed}`);
  await expect(admin.getByText("1–3 Jan 2020, Europe/Berlin, against 29–31 Dec 2019.")).toBeVisible();
  await expect(admin.getByRole("heading", { name: "Nothing was recorded in this range" })).toBeVisible();
  await expect(admin.getByRole("main").getByRole("link", { name: "Getting started" })).toHaveAttribute("href", "/");
  await accessible(admin);
  await admin.getByRole("button", { name: "Show all assistants" }).click();
  await expect(admin).not.toHaveURL(/client=/);
});

test("numbers come by themselves each minute, and a failure is told and mended", async ({ admin, stack }) => {
  await admin.clock.install();
  await admin.goto(`/dashboard?range=today&${narrowed}`);
  await expect(admin.getByRole("link", { name: "Calls: 4, in the log" })).toBeVisible();
  await assistant?.call("getJiraIssue", { issueIdOrKey: "OPS-4" });
  await indexed(stack, 5);
  await admin.clock.fastForward("01:01");
  await expect(admin.getByRole("link", { name: "Calls: 5, in the log" })).toBeVisible();

  await admin.route("**/GetDashboard", (route) => route.abort());
  await admin.clock.fastForward("01:01");
  await expect(admin.getByRole("alert")).toContainText("Sallyport doesn't answer.");
  await expect(admin.getByRole("link", { name: "Calls: 5, in the log" })).toBeVisible();
  await admin.unroute("**/GetDashboard");
  await admin.getByRole("button", { name: "Try again" }).click();
  await expect(admin.getByRole("alert")).toBeHidden();
});
