import type { FrameLocator, Locator, Page } from "playwright-core";
import { waitUntil } from "./processes";

const SLOW_START_MS = 60_000;
const RESTORED_AFTER_MS = 1_500;
const PALETTE_MS = 5_000;
const PALETTE_ATTEMPTS = 4;
const MENU_IGNORES_MOUSE_MS = 200;
/** What stayed in place for so long stays there. */
const SETTLE_MS = 400;

/** A row of a tree as it shows. */
export interface TreeRow {
  label: string;
  description: string;
  level: number;
}

/** The workbench as its user sees it: all that depends on VS Code's own DOM is here. */
export class Workbench {
  constructor(readonly page: Page) {}

  /** Waits until the workbench is drawn and takes input. */
  async ready(): Promise<void> {
    const timeout = SLOW_START_MS;
    await this.page.locator(".monaco-workbench .part.statusbar").waitFor({ timeout });
    // comes once the restored state is final: what is typed earlier is lost
    await this.page
      .locator(".monaco-workbench .part.activitybar .action-item")
      .first()
      .waitFor({ timeout });
  }

  async reload(): Promise<void> {
    const loaded = this.page.waitForEvent("load");
    await this.palette("Developer: Reload Window");
    await loaded;
    await this.ready();
  }

  async openContainer(title: string): Promise<void> {
    const tab = this.page
      .locator(".part.activitybar")
      .getByRole("tab", { name: title, exact: true });
    await tab.waitFor({ timeout: SLOW_START_MS });
    const heading = this.page.locator(".part.sidebar .composite.title", { hasText: title });
    // a click on the icon hides what shows already, and after a reload it may show any moment
    await waitUntil(`the view container ${title}`, async () => {
      await heading.waitFor({ timeout: RESTORED_AFTER_MS }).catch(() => undefined);
      if (await heading.isVisible()) return true;
      await tab.locator("a.action-label").click();
      return false;
    });
    await this.page.mouse.move(900, 500); // away, so that no hover covers the view
  }

  /** Opens a view below another one that is folded at first, and gives it half of the room. */
  async unfold(view: string): Promise<void> {
    const { mouse } = this.page;
    const header = this.page.locator(`.part.sidebar .pane-header[aria-label^="${view}"]`);
    await header.waitFor();
    if ((await header.getAttribute("aria-expanded")) !== "true") await header.click();
    const box = await header.boundingBox();
    if (!box) throw new Error(`The view ${view} does not show`);
    const x = box.x + box.width / 2;
    await mouse.move(x, box.y);
    await this.page.waitForTimeout(MENU_IGNORES_MOUSE_MS);
    await mouse.down();
    await mouse.move(x, 450, { steps: 5 });
    await mouse.up();
    await mouse.move(900, 500);
  }

  /** The number on the icon of a view container. */
  badge(title: string): Locator {
    return this.page
      .locator(".part.activitybar .action-item")
      .filter({ has: this.page.locator(`[aria-label^="${title}"]`) })
      .locator(".badge-content");
  }

  tree(view: string): Locator {
    return this.page.getByRole("tree", { name: view });
  }

  /** The row whose label is exactly `label`, or matches it. */
  row(view: string, label: string | RegExp): Locator {
    const name = this.page.locator(".label-name").getByText(label, { exact: true });
    return this.tree(view).getByRole("treeitem").filter({ has: name });
  }

  /** The rows that are drawn (a tree draws only what is visible), from the top. */
  async rows(view: string): Promise<TreeRow[]> {
    return this.tree(view)
      .getByRole("treeitem")
      .evaluateAll((rows) =>
        rows
          .sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)
          .map((row) => ({
            label: row.querySelector(".label-name")?.textContent ?? "",
            description: row.querySelector(".label-description")?.textContent ?? "",
            level: Number(row.getAttribute("aria-level")),
          })),
      );
  }

  /** Shows what is below a row. */
  async openRow(view: string, label: string): Promise<void> {
    const row = this.row(view, label);
    await waitUntil(`${label} opened`, async () => {
      if ((await row.getAttribute("aria-expanded")) === "true") return true;
      await row.locator(".label-name").click();
      await this.page.keyboard.press("ArrowRight");
      return false;
    });
  }

  /** Selects just these rows. */
  async select(view: string, labels: string[]): Promise<void> {
    for (const [index, label] of labels.entries()) {
      await this.row(view, label)
        .locator(".label-name")
        .click({ modifiers: index === 0 ? [] : ["Control"] });
    }
  }

  /** Opens the context menu of a row and returns one of its entries, ready to be clicked. */
  async openMenu(view: string, label: string, command: string): Promise<Locator> {
    const name = this.row(view, label).locator(".label-name");
    await this.settled(name);
    await name.click({ button: "right" });
    const entry = this.page.getByRole("menuitem", { name: command, exact: true });
    await entry.waitFor();
    // an earlier click would only highlight the entry
    await this.page.waitForTimeout(MENU_IGNORES_MOUSE_MS);
    return entry;
  }

  async context(view: string, label: string, command: string): Promise<void> {
    const entry = await this.openMenu(view, label, command);
    await entry.click();
    await entry.waitFor({ state: "detached" });
  }

  /** Waits until an element stays where it is: rows move while a tree changes above them. */
  async settled(element: Locator): Promise<void> {
    let last = "";
    await waitUntil("an element at rest", async () => {
      const before = last;
      await this.page.waitForTimeout(SETTLE_MS);
      last = JSON.stringify(await element.boundingBox());
      return last === before;
    });
  }

  /** Chooses an entry of the context menu that is opening. */
  async chooseFromMenu(command: string): Promise<void> {
    const entry = this.page.getByRole("menuitem", { name: command, exact: true });
    await entry.waitFor();
    await this.page.waitForTimeout(MENU_IGNORES_MOUSE_MS);
    await entry.click();
    await entry.waitFor({ state: "detached" });
  }

  async closeMenu(): Promise<void> {
    await this.page.keyboard.press("Escape");
    await this.page.locator(".context-view .monaco-menu").waitFor({ state: "detached" });
  }

  get quickInput(): Locator {
    return this.page.locator(".quick-input-widget:visible");
  }

  get quickText(): Locator {
    return this.quickInput.locator(".quick-input-filter input");
  }

  /** Runs the command with this whole title ("Category: Title"). */
  async palette(title: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      await this.page.keyboard.press("F1");
      try {
        await this.quickText.fill(`>${title}`, { timeout: PALETTE_MS });
        break;
      } catch (error) {
        // a view that takes the focus just then, as a webview does when it has loaded, closes the palette
        if (attempt === PALETTE_ATTEMPTS || (await this.quickText.isVisible())) throw error;
      }
    }
    await this.quickInput.getByRole("option", { name: title }).first().click();
    // what is typed next is for the question that the command asks
    await this.quickInput
      .filter({ has: this.page.getByRole("option", { name: title }) })
      .waitFor({ state: "detached" });
  }

  /** Waits for the given question, counted from 1, of several that follow each other. */
  async step(number: number): Promise<void> {
    await this.quickInput
      .locator(".quick-input-title")
      .getByText(new RegExp(`\\(${number}/\\d+\\)`))
      .waitFor();
  }

  /** Picks a row of the open quick pick. */
  async pick(label: string | RegExp): Promise<void> {
    await this.quickInput.getByRole("option", { name: label }).first().click();
  }

  /** Answers the open input box, or filters and accepts in a quick pick. */
  async type(text: string): Promise<void> {
    await this.quickText.fill(text);
    await this.quickText.press("Enter");
  }

  /** Answers the open dialog for a file to be written. */
  async saveAs(file: string): Promise<void> {
    await waitUntil("the file dialog", async () =>
      (await this.quickText.inputValue()).startsWith("/"),
    );
    // while it looks through folders it fills in names of its own, and overhears answers
    await waitUntil("the end of the file dialog", async () => {
      if (!(await this.quickText.isVisible())) return true;
      if ((await this.quickText.inputValue()) === file) await this.page.keyboard.press("Enter");
      else await this.quickText.fill(file);
      await this.page.waitForTimeout(500);
      return !(await this.quickText.isVisible());
    });
  }

  /** Answers the question for a shell command, a quick pick of earlier ones that takes new ones too. */
  async typeCommand(command: string): Promise<void> {
    await this.quickInput.locator(".quick-input-title").getByText("Run Command on").waitFor();
    await this.quickText.fill(command);
    await this.quickInput.getByRole("option", { name: command }).first().waitFor();
    await this.quickText.press("Enter");
  }

  /** Chooses a colour theme by its name in VS Code's list. */
  async chooseTheme(name: string): Promise<void> {
    await this.palette("Preferences: Color Theme");
    await this.quickText.fill(name);
    await this.quickInput.getByRole("option", { name }).first().waitFor();
    await this.quickText.press("Enter");
    await this.quickInput.waitFor({ state: "detached" });
  }

  notification(text: string | RegExp): Locator {
    return this.page
      .locator(".notifications-toasts .notification-list-item")
      .filter({ hasText: text });
  }

  async clearNotifications(): Promise<void> {
    await this.palette("Notifications: Clear All Notifications");
  }

  /** The question that covers the workbench. */
  get dialog(): Locator {
    return this.page.locator(".monaco-dialog-box");
  }

  editorTab(title: string | RegExp): Locator {
    return this.page.locator(".part.editor").getByRole("tab", { name: title });
  }

  async closeEditors(): Promise<void> {
    await this.palette("View: Close All Editors");
    await waitUntil("closed editors", async () => (await this.editorTab(/./).count()) === 0);
  }

  /** The document of the one webview that shows. */
  get webview(): FrameLocator {
    return this.page
      .frameLocator("iframe.webview.ready:visible")
      .frameLocator("iframe#active-frame");
  }
}
