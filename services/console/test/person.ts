import type { Page } from "@playwright/test";

/** Goes through the pages of a sign-in as a person does: presses each first button, and says who one is. */
export async function signInAs(page: Page, email: string, until: (url: URL) => boolean): Promise<void> {
  for (let pages = 0; pages < 10 && !until(new URL(page.url())); pages++) {
    const field = page.locator("input[name=email]");
    if (await field.count()) await field.fill(email);
    await Promise.all([page.waitForEvent("framenavigated"), page.locator("button").first().click()]);
    await page.waitForLoadState();
  }
}
