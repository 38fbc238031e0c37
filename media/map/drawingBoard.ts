import type { Point } from "./camera";
import { contextOf } from "./cardView";
import { drawMap } from "./drawing";
import { Labels } from "./labels";
import { nearestIn } from "./leafRuns";
import type { MapModel } from "./mapModel";
import { listenToPointer } from "./pointer";
import { isSameHovered, type Hovered } from "./scene";
import { readTheme, wantsRest, watchTheme, type Theme } from "./theme";
import { Viewpoint } from "./viewpoint";

/** Of the card of the selected host, with what is around it; the style sheet says how wide it is. */
const CARD_PX = 332;

export interface BoardActions {
  select(place: number): void;
  toggle(place: number): void;
  key(event: KeyboardEvent): void;
  /** Another part of the drawing shows. */
  moved(): void;
}

/** The canvas: draws the map when something has changed, and while calls are in flight. */
export class DrawingBoard {
  /** Which part of the map shows. */
  readonly viewpoint: Viewpoint;
  private canvas: HTMLCanvasElement | undefined;
  private theme: Theme | undefined;
  private labels: Labels | undefined;
  private hovered: Hovered;
  private due = false;
  private readonly size = new ResizeObserver(() => this.resize());

  constructor(
    private readonly model: MapModel,
    private readonly actions: BoardActions,
  ) {
    this.viewpoint = new Viewpoint(model, {
      atRest: wantsRest,
      moved: () => {
        actions.moved();
        this.draw();
      },
    });
    watchTheme(() => {
      this.theme = undefined;
      this.draw();
    });
  }

  setCanvas(element: Element | undefined): void {
    if (element === this.canvas) return;
    this.size.disconnect();
    this.canvas = element instanceof HTMLCanvasElement ? element : undefined;
    this.theme = undefined;
    const { canvas, viewpoint } = this;
    if (!canvas) return;
    this.size.observe(canvas);
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("focus", () => this.draw());
    canvas.addEventListener("blur", () => this.draw());
    listenToPointer(canvas, {
      camera: () => viewpoint.camera,
      move: (camera) => viewpoint.move(camera),
      zoom: (factor, at) => viewpoint.zoom(factor, at),
      click: (at, twice) => this.click(at, twice),
      aim: (at) => {
        const place = viewpoint.placing.hostAt(at) ?? 0;
        // VS Code reads it when the menu opens, which is before anything is drawn anew
        canvas.setAttribute("data-vscode-context", contextOf(this.model, place));
        if (place > 0) this.actions.select(place);
      },
      hover: (at) => this.hover(at),
    });
    this.resize();
  }

  mapChanged(): void {
    this.hovered = undefined;
    this.viewpoint.mapChanged();
    this.draw();
  }

  fit(): void {
    this.viewpoint.fit(this.cardPx);
  }

  /** Shows all of these hosts. */
  fitTo(places: readonly number[]): void {
    this.viewpoint.fitTo(places, this.cardPx);
  }

  /** Brings the host into the middle. */
  centre(place: number): void {
    this.viewpoint.centre(place, this.cardPx);
  }

  /** Draws in the next frame. */
  draw(): void {
    if (this.due) return;
    this.due = true;
    requestAnimationFrame((nowMs) => {
      this.due = false;
      this.drawNow(nowMs);
    });
  }

  private get cardPx(): number {
    return this.model.selected > 0 ? CARD_PX : 0;
  }

  private drawNow(nowMs: number): void {
    const { canvas, model, hovered } = this;
    this.viewpoint.step(nowMs);
    const { window, camera, placing } = this.viewpoint;
    const context = canvas?.getContext("2d", { alpha: false });
    if (!canvas?.isConnected || !context || window.width === 0) return;
    if (!this.theme || !this.labels) {
      this.theme = readTheme();
      this.labels = new Labels(context, this.theme);
    }
    const ratio = devicePixelRatio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const atRest = wantsRest();
    const focused = document.activeElement === canvas;
    const { theme, labels } = this;
    drawMap({
      ...{ context, model, placing, window, camera, theme, labels },
      ...{ nowMs, atRest, hovered, focused, offsets: new Map<number, number>() },
    });
    if (this.viewpoint.isGliding || (model.traffic.isMoving && !atRest)) this.draw();
  }

  private click(at: Point, twice: boolean): void {
    const { placing, camera } = this.viewpoint;
    const place = placing.hostAt(at);
    if (place !== undefined) {
      if (twice) this.actions.toggle(place);
      else this.actions.select(place);
      return;
    }
    const block = placing.blockAt(at);
    if (!block) return;
    this.hovered = undefined;
    // the minions themselves, where the pointer is
    this.centre(nearestIn(block, (at.y - camera.y) / camera.scale));
  }

  private hover(at: Point | undefined): void {
    const next = at && this.under(at);
    if (isSameHovered(this.hovered, next)) return;
    this.hovered = next;
    this.canvas?.classList.toggle("over-host", next !== undefined);
    this.draw();
  }

  private under(at: Point): Hovered {
    const { placing } = this.viewpoint;
    const host = placing.hostAt(at);
    if (host !== undefined) return { host };
    const block = placing.blockAt(at);
    return block && { block };
  }

  private key(event: KeyboardEvent): void {
    if (event.key === "+" || event.key === "-")
      this.viewpoint.zoom(event.key === "+" ? 1.3 : 1 / 1.3);
    else this.actions.key(event);
  }

  private resize(): void {
    const { canvas } = this;
    if (!canvas) return;
    const { clientWidth: width, clientHeight: height } = canvas;
    this.viewpoint.resize({ width, height });
    canvas.width = Math.round(width * devicePixelRatio);
    canvas.height = Math.round(height * devicePixelRatio);
    // a canvas that has changed its size is empty
    this.drawNow(performance.now());
  }
}
