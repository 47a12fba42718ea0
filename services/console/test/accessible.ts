import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

/**
 * Looks for what the Web Content Accessibility Guidelines 2.2 forbid at level AA. What may differ in dark are colours,
 * so these are looked at again.
 */
export async function accessible(page: Page): Promise<void> {
  await inColours(page, "light");
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  await nothingFound(new AxeBuilder({ page }).withTags(tags), "light");
  await inColours(page, "dark");
  await nothingFound(new AxeBuilder({ page }).withRules(["color-contrast", "link-in-text-block"]), "dark");
  await page.emulateMedia({ colorScheme: null });
}

async function inColours(page: Page, colorScheme: "light" | "dark"): Promise<void> {
  await page.emulateMedia({ colorScheme });
  await expect(page.locator(":root")).toHaveAttribute("data-mantine-color-scheme", colorScheme);
}

async function nothingFound(axe: AxeBuilder, colorScheme: string): Promise<void> {
  // Without what it does for frames of other sites, of which there are none: that takes longer than the looking.
  const found = await axe.setLegacyMode().analyze();
  const problems = found.violations.map(
    ({ id, help, nodes }) => `${id}: ${help}\n${nodes.map((node) => `  ${node.target} ${node.html}`).join("\n")}`,
  );
  expect(problems.join("\n"), `axe-core, ${colorScheme}`).toBe("");
}
