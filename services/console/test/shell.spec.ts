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
