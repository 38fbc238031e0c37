import type { ListItem } from "./listItems";
import type { ResultsModel } from "./model";
import { ROW_HEIGHT } from "./rowLayout";

/** Before the list is drawn nobody knows how high it will be. */
const FIRST_HEIGHT = 800;

/** The list's scrolled part: measures its items, and keeps in place what is looked at. */
export class Scroller {
  private viewport: Element | undefined;
  /** An item that was just opened: it is scrolled into view once its height is known. */
  private opened: string | undefined;
  private readonly keys = new Map<Element, string>();
  private readonly elements = new Map<string, Element>();
  private readonly sizes = new ResizeObserver((entries) => this.measured(entries));
  private readonly viewportSize = new ResizeObserver(() => this.draw());

  constructor(
    private readonly model: ResultsModel,
    private readonly draw: () => void,
  ) {}

  get position(): { scrollTop: number; height: number } {
    const { viewport } = this;
    return { scrollTop: viewport?.scrollTop ?? 0, height: viewport?.clientHeight ?? FIRST_HEIGHT };
  }

  /** Rows that a page has. */
  get page(): number {
    return Math.max(1, Math.floor(this.position.height / ROW_HEIGHT) - 1);
  }

  setViewport(element: Element | undefined): void {
    if (element === this.viewport) return;
    if (this.viewport) this.viewportSize.unobserve(this.viewport);
    this.viewport = element;
    if (element) this.viewportSize.observe(element);
  }

  measure(key: string, element: Element | undefined): void {
    const before = this.elements.get(key);
    if (before === element) return;
    if (before) {
      this.sizes.unobserve(before);
      this.keys.delete(before);
      this.elements.delete(key);
    }
    if (!element) return;
    this.keys.set(element, key);
    this.elements.set(key, element);
    this.sizes.observe(element);
  }

  /** Lets go of elements that are no longer in the page. */
  tidy(): void {
    for (const [key, element] of this.elements) {
      if (!element.isConnected) this.measure(key, undefined);
    }
  }

  /** To be brought into view when it has its height. */
  willOpen(key: string): void {
    this.opened = key;
  }

  scrollTo(index: number): void {
    if (!this.viewport) return;
    const top = this.model.layout().top(index);
    if (top < this.viewport.scrollTop) this.viewport.scrollTop = top;
    const height = Math.min(this.model.layout().heightOf(index), this.viewport.clientHeight);
    const bottom = top + height - this.viewport.clientHeight;
    if (bottom > this.viewport.scrollTop) this.viewport.scrollTop = bottom;
  }

  private measured(entries: readonly ResizeObserverEntry[]): void {
    let above = 0;
    let changed = false;
    for (const { target } of entries) {
      const key = this.keys.get(target);
      if (key === undefined || !target.isConnected) continue;
      const index = this.model.indexOf(key);
      const top = index === undefined ? Infinity : this.model.layout().top(index);
      const change = this.model.measured(key, target.getBoundingClientRect().height);
      changed ||= change !== 0;
      if (top < this.position.scrollTop) above += change;
    }
    if (!changed) return;
    // what grows above the window must not push away what is looked at
    if (this.viewport && above !== 0) this.viewport.scrollTop += above;
    this.draw();
    this.revealOpened();
  }

  /** Scrolls so far that an opened row's detail shows, but never its own line out of view. */
  private revealOpened(): void {
    const { opened, viewport, model } = this;
    const index = model.indexOf(opened);
    if (index === undefined || !viewport) return;
    if (isLoading(model, model.items()[index])) return;
    this.opened = undefined;
    const layout = model.layout();
    const top = layout.top(index);
    const least = top + layout.heightOf(index) - viewport.clientHeight;
    // the list has its new height only after the next drawing
    requestAnimationFrame(() => {
      if (viewport.scrollTop < least) viewport.scrollTop = Math.min(top, least);
    });
  }
}

function isLoading(model: ResultsModel, item: ListItem | undefined): boolean {
  return item?.kind === "minion" && model.details.get(item.row.minion)?.state === "loading";
}
