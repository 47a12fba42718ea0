import { defineConfig, devices } from "@playwright/test";
import chromium from "@sparticuz/chromium";

// One stack at a time: each project starts its own (test/stack.ts).
export default defineConfig({
  testDir: "test",
  workers: 1,
  fullyParallel: false,
  forbidOnly: true,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [["list"]],
  use: {
    ...devices["Desktop Chrome"],
    viewport: { width: 1280, height: 800 },
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    contextOptions: { reducedMotion: "reduce" },
    actionTimeout: 20_000,
    // Pictures of each moment take a quarter of the tests' time; the snapshots of the pages tell as much.
    trace: { mode: "retain-on-failure", screenshots: false },
    screenshot: "only-on-failure",
    launchOptions: { executablePath: await chromium.executablePath(), args: ["--no-sandbox", "--disable-gpu"] },
  },
  projects: [
    { name: "story", testMatch: "story.spec.ts" },
    { name: "pages", testMatch: "*.spec.ts", testIgnore: "story.spec.ts" },
    { name: "screenshots", testMatch: "screenshots.shots.ts" },
    { name: "figures", testMatch: "figures.bench.ts" },
  ],
});
