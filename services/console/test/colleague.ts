import type { Browser, Page } from "@playwright/test";
import { signInAs } from "./person";
import type { Stack } from "./stack";

/** A page of the console, its beginning where no other is said, of somebody who signed in beside Bo. Close its context in the end. */
export async function colleague(stack: Stack, browser: Browser, email: string, path = "/"): Promise<Page> {
  const context = await browser.newContext({ baseURL: stack.state.console_url });
  const page = await context.newPage();
  await page.goto(`/signin?return=${encodeURIComponent(path)}`);
  await signInAs(page, email, (url) => url.toString() === stack.state.console_url + path);
  return page;
}
