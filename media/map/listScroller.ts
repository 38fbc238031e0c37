import { LIST_ROW, type ListWindow } from "./listView";
import type { MapModel } from "./mapModel";

/** Before the list is drawn nobody knows how high it will be. */
const FIRST_HEIGHT = 800;

/** The scrolled part of the list. */
export class ListScroller {
  private viewport: Element | undefined;
  private revealDue = false;
  private readonly size = new ResizeObserver(() => this.draw());

  constructor(
    private readonly model: MapModel,
    private readonly draw: () => void,
  ) {}

  get window(): ListWindow {
    const { viewport } = this;
    return { scrollTop: viewport?.scrollTop ?? 0, height: viewport?.clientHeight ?? FIRST_HEIGHT };
  }

  /** Rows that a page has. */
  get page(): number {
    return Math.max(1, Math.floor(this.window.height / LIST_ROW) - 1);
  }

  setViewport(element: Element | undefined): void {
    if (element === this.viewport) return;
    if (this.viewport) this.size.unobserve(this.viewport);
    this.viewport = element;
    if (element) this.size.observe(element);
  }

  /** Brings the selected row into view once it is drawn. */
  reveal(): void {
    this.revealDue = true;
  }

  /** To be called when the list has its new height. */
  settle(): void {
    const { viewport, model } = this;
    if (!this.revealDue || !viewport) return;
    this.revealDue = false;
    const top = model.layout.order.indexOf(model.selected) * LIST_ROW;
    if (top < 0) return;
    const least = top + LIST_ROW - viewport.clientHeight;
    if (top < viewport.scrollTop) viewport.scrollTop = top;
    else if (viewport.scrollTop < least) viewport.scrollTop = least;
  }
}
