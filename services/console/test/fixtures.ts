import { type BrowserContext, test as base, expect, type Page } from "@playwright/test";
import { signInAs } from "./person";
import { Stack } from "./stack";

export { expect };

/** Cookies of a browser that is signed in. */
type Session = Awaited<ReturnType<BrowserContext["storageState"]>>;

type Shared = {
  /** A Sallyport that the tests of a project share. */
  stack: Stack;
  /** Bo, who came by the first link and is admin. */
  bo: Session;
};

type Fixtures = {
  /** A page that nobody is signed in on. */
  stranger: Page;
  /** A page of Bo's, at the console's beginning. */
  admin: Page;
};

/** Without anybody who has a role yet. */
export const bare = base.extend<Fixtures, Shared>({
  stack: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads what a fixture needs from its parameter.
    async ({}, use) => {
      const stack = await Stack.start();
      await use(stack);
      await stack.stop();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  bo: [
    async ({ browser, stack }, use) => {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(await stack.firstLink());
      await signInAs(page, "bo@acme.test", (url) => url.toString() === `${stack.state.console_url}/`);
      const session = await context.storageState();
      await context.close();
      await use(session);
    },
    { scope: "worker" },
  ],
  stranger: async ({ browser, stack }, use) => {
    const context = await browser.newContext({ baseURL: stack.state.console_url });
    await use(await watched(context));
    await context.close();
  },
  admin: async ({ browser, stack, bo }, use) => {
    const context = await browser.newContext({ baseURL: stack.state.console_url, storageState: bo });
    const page = await watched(context);
    await page.goto("/");
    await use(page);
    await context.close();
  },
});

/** With Bo as admin, also where a test doesn't use a page of his. */
export const test = bare.extend<{ somebodyIsAdmin: undefined }>({
  // That Bo is there makes him admin.
  somebodyIsAdmin: [async ({ bo: _bo }, use) => use(undefined), { auto: true }],
});

/** A page on which nothing may fail unseen: no script, nothing that the security policy refuses, no request elsewhere. */
async function watched(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  page.on("pageerror", (error) => expect.soft(error.message, "an error of a script").toBe(""));
  page.on("console", (message) => {
    if (message.type() === "error" && /Content Security Policy|Warning:/.test(message.text())) {
      expect.soft(message.text(), "the browser's console").toBe("");
    }
  });
  return page;
}
