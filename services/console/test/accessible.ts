import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

/** Looks for what the Web Content Accessibility Guidelines 2.2 forbid at level AA, in light and in dark. */
export async function accessible(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await expect(page.locator(":root")).toHaveAttribute("data-mantine-color-scheme", colorScheme);
    const found = await new AxeBuilder({ page })
      .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
      .analyze();
    const problems = found.violations.map(
      ({ id, help, nodes }) => `${id}: ${help}\n${nodes.map((node) => `  ${node.target} ${node.html}`).join("\n")}`,
    );
    expect(problems.join("\n"), `axe-core, ${colorScheme}`).toBe("");
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
}
