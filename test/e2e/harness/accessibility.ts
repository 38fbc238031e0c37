import { source, type AxeResults, type RunOptions } from "axe-core";
import type { FrameLocator } from "playwright-core";

/** Rules for whole pages: a webview is a part of VS Code's. */
const OPTIONS: RunOptions = {
  rules: { "page-has-heading-one": { enabled: false }, region: { enabled: false } },
};

declare const axe: { run: (context: Document, options: RunOptions) => Promise<AxeResults> };

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
  return violations.map(
    ({ id, help, nodes }) => `${id}: ${help} (${nodes.map(({ html }) => html).join(", ")})`,
  );
}
