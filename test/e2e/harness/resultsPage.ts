import type { FrameLocator, Locator } from "playwright-core";
import { waitUntil } from "./processes";
import type { Workbench } from "./workbench";

/** The page with the results of one call: the webview that shows. */
export class ResultsPage {
  constructor(private readonly workbench: Workbench) {}

  get document(): FrameLocator {
    return this.workbench.webview;
  }

  /** The rows of minions, without the heading and opened details. */
  get rows(): Locator {
    return this.document.getByRole("row").filter({ has: this.document.locator("[data-minion]") });
  }

  row(minion: string): Locator {
    return this.rows.filter({ has: this.document.locator(`[data-minion="${minion}"]`) });
  }

  button(name: string): Locator {
    return this.document.getByRole("button", { name });
  }

  /** Waits until there are `count` rows and all have `text`; returns what the rows say, in order. */
  async allRows(count: number, text: string | RegExp): Promise<string[]> {
    const matching = this.rows.filter({ hasText: text });
    try {
      await waitUntil("the rows", async () => {
        const [all, ready] = await Promise.all([this.rows.count(), matching.count()]);
        return all === count && ready === count;
      });
    } catch (error) {
      const shown = (await this.rows.allInnerTexts()).join("\n");
      throw new Error(`Not ${count} rows with ${String(text)}, but:\n${shown}`, { cause: error });
    }
    return this.rows.allInnerTexts();
  }
}
