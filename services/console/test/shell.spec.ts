import { accessible } from "./accessible";
import { expect, test } from "./fixtures";

test("without a session there is only signing in, which comes back to the page", async ({ stranger }) => {
  await stranger.goto("/log?decision=blocked");
  await expect(stranger.getByRole("heading", { name: "Sign in" })).toBeVisible();
  const link = stranger.getByRole("link", { name: "Sign in with Atlassian" });
  await expect(link).toHaveAttribute("href", "/signin?return=%2Flog%3Fdecision%3Dblocked");
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
