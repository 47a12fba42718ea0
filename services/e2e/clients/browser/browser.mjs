// A person at a real browser. Opens the authorization URL, presses each page's first button, fills in
// the e-mail address where one is asked for, and prints, as one line of JSON, the texts of the pages
// and the URL that the browser was sent back to.
import chromium from '@sparticuz/chromium';
import { chromium as browsers } from 'playwright-core';

const [authorizationURL, redirectURI, email] = process.argv.slice(2);
const browser = await browsers.launch({
  executablePath: await chromium.executablePath(),
  args: ['--no-sandbox', '--disable-gpu', '--single-process'],
});
const page = await browser.newPage();
page.setDefaultTimeout(20_000);
const pages = [];
// Nobody listens at the redirect URI, so the request for it is all that there is to see.
const sentBack = page.waitForRequest(request => request.url().startsWith(redirectURI));
let back;
sentBack.then(request => { back = request.url(); }, () => {});

await page.goto(authorizationURL);
while (!back && pages.length < 10) {
  pages.push(await page.locator('body').innerText());
  const field = page.locator('input[name=email]');
  if (await field.count()) await field.fill(email);
  const next = Promise.race([page.waitForNavigation(), sentBack]);
  await page.locator('button').first().click();
  await next.catch(() => {});
}
console.log(JSON.stringify({ pages, back }));
await browser.close();
process.exit(0);
