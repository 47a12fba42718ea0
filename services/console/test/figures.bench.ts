import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import type { Browser, CDPSession, Page } from "@playwright/test";
import { expect, test } from "./fixtures";
import type { Stack } from "./stack";

// How heavy the pages are, how soon they can be used on a slow machine, and how the log scrolls with many
// records: make bench-console.

const records = Number(process.env.RECORDS ?? 100_000);

/** A phone on a slow network, as Lighthouse's mobile profile has it. */
const slow = { latency: 150, downloadThroughput: 1_638_400 / 8, uploadThroughput: 768_000 / 8, cpu: 4 };

/** The pages, and what on each one waits for. */
const pages: [path: string, ready: (page: Page) => Promise<void>][] = [
  ["/", (page) => page.getByRole("heading", { level: 2 }).first().waitFor()],
  ["/policy", (page) => page.getByRole("button", { name: "Add rule", exact: true }).waitFor()],
  ["/log", (page) => page.getByRole("rowgroup").getByRole("link").first().waitFor()],
  ["/dashboard?range=7d", (page) => page.getByRole("heading", { name: "Allowed and blocked over time" }).waitFor()],
  ["/connections", (page) => page.getByRole("heading", { name: "Connections" }).waitFor()],
  ["/settings", (page) => page.getByRole("table").getByText("bo@acme.test").first().waitFor()],
];

test("the pages and the log in figures", async ({ stack, browser, bo }) => {
  test.setTimeout(3 * 3_600_000);
  await test.step(`${records.toLocaleString()} records are made`, () => fill(stack));
  for (const [path, ready] of pages) {
    const page = await open(stack, browser, bo);
    tell(await weigh(page, path, ready));
    await page.context().close();
  }
  const page = await open(stack, browser, bo);
  await scroll(page);
  await page.context().close();
});

function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}

type Session = Awaited<ReturnType<Awaited<ReturnType<Browser["newContext"]>>["storageState"]>>;

async function open(stack: Stack, browser: Browser, session: Session): Promise<Page> {
  const context = await browser.newContext({ baseURL: stack.state.console_url, storageState: session });
  return context.newPage();
}

/** Has a month of records made, by the benchmark of the admin service. */
async function fill(stack: Stack): Promise<void> {
  const environment = {
    ...process.env,
    SALLYPORT_BENCH_ELASTICSEARCH: stack.state.elasticsearch_url,
    SALLYPORT_BENCH_RECORDS: String(records),
  };
  const bench = [
    "test",
    "-run",
    "^$",
    "-bench",
    "Record/newest",
    "-benchtime",
    "1x",
    "-timeout",
    "0",
    "./services/admin",
  ];
  await promisify(execFile)("go", bench, { cwd: resolve(import.meta.dirname, "../../.."), env: environment });
}

/** What a page weighs on the wire with an empty cache, and when it is there and can be used on the slow profile. */
async function weigh(page: Page, path: string, ready: (page: Page) => Promise<void>): Promise<string> {
  const client = await page.context().newCDPSession(page);
  const bytes = await counted(client);
  await client.send("Network.emulateNetworkConditions", { offline: false, ...slow });
  await client.send("Emulation.setCPUThrottlingRate", { rate: slow.cpu });
  await page.addInitScript(watch);
  await page.goto(path, { waitUntil: "commit" });
  await ready(page);
  const there = await page.evaluate(() => performance.now());
  // Five seconds in which nothing keeps the page from answering, as Lighthouse has it.
  await page.waitForFunction(() => performance.now() - window.busyUntil > 5_000, undefined, { timeout: 60_000 });
  const seen = await page.evaluate(() => ({
    painted: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
    busy: window.busyUntil,
    shift: window.shifted,
  }));
  const kB = (n: number) => `${Math.round(n / 1000)} kB`;
  const s = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  return [
    path.padEnd(20),
    `scripts ${kB(bytes.Script)}, styles ${kB(bytes.Stylesheet)}, all ${kB(bytes.all)} in ${bytes.requests} requests;`,
    `painted ${s(seen.painted)}, content ${s(there)}, interactive ${s(Math.max(there, seen.busy))},`,
    `layout shift ${seen.shift.toFixed(3)}`,
  ].join(" ");
}

declare global {
  interface Window {
    /** When the last long task ended, and how much moved that nobody asked to (CLS). */
    busyUntil: number;
    shifted: number;
  }
}

function watch() {
  window.busyUntil = 0;
  window.shifted = 0;
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) window.busyUntil = task.startTime + task.duration;
  }).observe({ type: "longtask", buffered: true });
  new PerformanceObserver((list) => {
    for (const shift of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[]) {
      if (!shift.hadRecentInput) window.shifted += shift.value;
    }
  }).observe({ type: "layout-shift", buffered: true });
}

/** Counts what comes over the wire, by kind. */
async function counted(client: CDPSession) {
  const bytes = { Script: 0, Stylesheet: 0, all: 0, requests: 0 };
  const kinds = new Map<string, string>();
  await client.send("Network.enable");
  client.on("Network.responseReceived", ({ requestId, type }) => kinds.set(requestId, type));
  client.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    const kind = kinds.get(requestId);
    if (kind === "Script" || kind === "Stylesheet") bytes[kind] += encodedDataLength;
    bytes.all += encodedDataLength;
    bytes.requests++;
  });
  return bytes;
}

/** The log, from the newest record to the oldest. */
async function scroll(page: Page): Promise<void> {
  await page.goto("/log");
  const rows = page.getByRole("rowgroup").getByRole("row");
  await rows.nth(10).waitFor();
  const client = await page.context().newCDPSession(page);
  tell(`The log with ${records.toLocaleString()} records`);
  tell(await smooth(page, client, "at its beginning"));
  const began = Date.now();
  let told = began;
  for (let to = 0; to < records; ) {
    to = Math.min(records, to + Math.max(10_000, Math.round(records / 20)));
    await page.evaluate(toRow, to);
    if (Date.now() - told > 60_000) {
      told = Date.now();
      tell(`  ${to.toLocaleString()} rows in ${Math.round((told - began) / 1000)} s`);
    }
  }
  const took = (Date.now() - began) / 1000;
  const last = await page.getByRole("grid").getAttribute("aria-rowcount");
  expect(Number(last), "rows with the head").toBe(records + 1);
  tell(`all of them scrolled through in ${Math.round(took)} s, ${Math.round(records / took)} a second`);
  await page.mouse.wheel(0, -52 * 800);
  tell(await smooth(page, client, "at its end"));
}

/** Scrolls for ten seconds as a person who looks for something does, and tells how evenly. */
async function smooth(page: Page, client: CDPSession, where: string): Promise<string> {
  const frames = await page.evaluate(scrollOn, where === "at its end" ? -40 : 40);
  await client.send("HeapProfiler.collectGarbage");
  const { metrics } = await client.send("Performance.enable").then(() => client.send("Performance.getMetrics"));
  const of = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? 0;
  frames.sort((a, b) => a - b);
  const ms = (part: number) => `${(frames[Math.floor(frames.length * part)] ?? 0).toFixed(0)} ms`;
  return (
    `${where}: a frame takes ${ms(0.5)} (p50), ${ms(0.99)} (p99), ${ms(1 - 1 / frames.length)} at most, ` +
    `with ${await page.getByRole("row").count()} rows in the page, ${of("Nodes")} nodes, ${Math.round(of("JSHeapUsedSize") / 1e6)} MB of heap`
  );
}

/** Scrolls by so many pixels each frame, and returns how long each took. */
function scrollOn(pixels: number): Promise<number[]> {
  return new Promise((done) => {
    const frames: number[] = [];
    let before = performance.now();
    const began = before;
    const frame = (now: number) => {
      frames.push(now - before);
      before = now;
      if (now - began > 10_000) return done(frames);
      window.scrollBy(0, pixels);
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
}

/** Scrolls to the end, as more and more comes, until a row is there. */
function toRow(row: number): Promise<void> {
  return new Promise((done) => {
    const frame = () => {
      const rows = document.querySelectorAll("[role=rowgroup] [role=row]");
      const last = [...rows].findLast((found) => found.querySelector("a"));
      if (Number(last?.getAttribute("aria-rowindex") ?? 0) - 1 >= row) return done();
      window.scrollTo(0, document.documentElement.scrollHeight);
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
}
