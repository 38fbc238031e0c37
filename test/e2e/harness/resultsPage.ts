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

  /** The cards of equal results. */
  get cards(): Locator {
    return this.document.locator(".card");
  }

  card(text: string | RegExp): Locator {
    return this.cards.filter({ hasText: text });
  }

  get filter(): Locator {
    return this.document.locator("input.filter");
  }

  tick(minion: string): Locator {
    return this.row(minion).getByRole("checkbox");
  }

  /** Arranges the results as the switch with this name says. */
  async arrange(name: "By output" | "By minion"): Promise<void> {
    const button = this.document.getByRole("button", { name, exact: true });
    await button.waitFor();
    if ((await button.getAttribute("aria-pressed")) !== "true") await button.click();
    await button.and(this.document.locator('[aria-pressed="true"]')).waitFor();
  }

  /** Opens the context menu of a row or card and chooses one of its entries. */
  async context(item: Locator, command: string): Promise<void> {
    await item.click({ button: "right" });
    await this.workbench.chooseFromMenu(command);
  }

  /**
   * Waits until there are `count` rows, one per minion, and all have `text`; returns what the rows say, in
   * order.
   */
  async allRows(count: number, text: string | RegExp): Promise<string[]> {
    await this.arrange("By minion");
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
