import { accessible } from "./accessible";
import { expect, test } from "./fixtures";
import { signInAs } from "./person";

test("without a session there is only signing in, which comes back to the page", async ({ stranger }) => {
  await stranger.goto("/log?decision=blocked");
  await expect(stranger.getByRole("heading", { name: "Sign in" })).toBeVisible();
  const link = stranger.getByRole("link", { name: "Sign in with Atlassian" });
  await expect(link).toHaveAttribute("href", "/signin?return=%2Flog%3Fdecision%3Dblocked");
});

test("signing in comes back to the page, and nowhere else", async ({ stranger, stack }) => {
  await stack.turn("people/di@acme.test", { name: "Di Dorn" });
  const home = stack.state.console_url;
  await stranger.goto("/log?decision=blocked");
  await stranger.getByRole("link", { name: "Sign in with Atlassian" }).click();
  await signInAs(stranger, "di@acme.test", (url) => url.origin === home);
  await expect(stranger).toHaveURL(`${home}/log?decision=blocked`);
  await expect(stranger.getByRole("heading", { name: "You have no role here" })).toBeVisible();
  await expect(stranger.getByText("sallyport roles add viewer di@acme.test")).toBeVisible();
  await accessible(stranger);
  await stranger.getByRole("button", { name: "Sign out" }).click();
  await expect(stranger.getByRole("heading", { name: "Sign in" })).toBeVisible();

  for (const elsewhere of ["//evil.example/", "https://evil.example/", "/\\evil.example/", "@evil.example/"]) {
    await stranger.goto(`/signin?return=${encodeURIComponent(elsewhere)}`);
    await signInAs(stranger, "di@acme.test", (url) => url.origin === home);
    expect(new URL(stranger.url()).origin, elsewhere).toBe(home);
  }
});

test("a page that isn't there says where to go", async ({ admin }) => {
  const answer = await admin.goto("/nowhere");
  expect(answer?.status()).toBe(404);
  await expect(admin.getByText("There is no such page. The console begins at")).toBeVisible();
});

test("an ended session says so, and signing in goes on where one was", async ({ browser, stack, bo }) => {
  const context = await browser.newContext({ baseURL: stack.state.console_url, storageState: bo });
  const page = await context.newPage();
  await page.goto("/settings");
  await expect(page.getByRole("heading", { level: 1, name: "Settings" })).toBeVisible();
  await context.clearCookies();
  await page.evaluate(() => window.dispatchEvent(new Event("visibilitychange")));
  await expect(page.getByRole("heading", { name: "You are signed out" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Sign in with Atlassian" })).toHaveAttribute(
    "href",
    "/signin?return=%2Fsettings",
  );
  await context.close();
});

test("each page is a click away", async ({ admin }) => {
  for (const name of ["Access policy", "Activity log", "Dashboard", "Connections", "Settings", "Getting started"]) {
    await admin.getByRole("navigation").getByRole("link", { name }).click();
    await expect(admin.getByRole("heading", { level: 1, name })).toBeVisible();
  }
});

test("what is around each page is accessible", async ({ admin, stranger }) => {
  await stranger.goto("/");
  await expect(stranger.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await accessible(stranger);
  await expect(admin.getByRole("navigation")).toBeVisible();
  await accessible(admin);
  await admin.setViewportSize({ width: 360, height: 640 });
  await admin.getByRole("button", { name: "Menu" }).click();
  await expect(admin.getByRole("dialog").getByRole("link", { name: "Settings" })).toBeVisible();
  await accessible(admin);
});
