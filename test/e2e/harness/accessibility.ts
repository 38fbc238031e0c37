import { source, type AxeResults, type RunOptions } from "axe-core";
import type { FrameLocator, Page } from "playwright-core";

/** Rules for whole pages: a webview is a part of VS Code's. */
const OPTIONS: RunOptions = {
  rules: { "page-has-heading-one": { enabled: false }, region: { enabled: false } },
};

/** VS Code draws a row's label and description without a blank between them, which no name of ours can have. */
const OPTIONS_IN_TREES: RunOptions = {
  rules: { ...OPTIONS.rules, "label-content-name-mismatch": { enabled: false } },
};

declare const axe: {
  run: (context: Document | string, options: RunOptions) => Promise<AxeResults>;
};

/** What axe finds wrong in a document, one line each: "rule: what is asked for (where)". */
export async function accessibilityProblems(document: FrameLocator): Promise<string[]> {
  const body = document.locator("body");
  await body.evaluate((_, script) => {
    // through the debugger, which no content security policy stops
    (0, eval)(script);
  }, source);
  const { violations } = await body.evaluate(
    (_, options) => axe.run(window.document, options),
    OPTIONS,
  );
  return linesOf(violations);
}

/** The same for a part of VS Code's own page: what stands in it is ours, how it is drawn is not. */
export async function problemsInPart(page: Page, selector: string): Promise<string[]> {
  await page.evaluate(source);
  const { violations } = await page.evaluate(([part, options]) => axe.run(part, options), [
    selector,
    OPTIONS_IN_TREES,
  ] as const);
  return linesOf(violations);
}

function linesOf(violations: AxeResults["violations"]): string[] {
  return violations.map(
    ({ id, help, nodes }) => `${id}: ${help} (${nodes.map(({ html }) => html).join(", ")})`,
  );
}
