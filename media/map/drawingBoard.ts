import {
  centred,
  fitting,
  held,
  toDrawing,
  toWindow,
  zoomed,
  type Camera,
  type Point,
  type Size,
} from "./camera";
import { contextOf } from "./cardView";
import { drawMap } from "./drawing";
import type { MapModel } from "./mapModel";
import { listenToPointer } from "./pointer";
import { readTheme, wantsRest, watchTheme, type Theme } from "./theme";
import { ROW } from "./treeLayout";

/** A map that would be smaller than this at first shows its beginning instead. */
const LEAST_FIRST_SCALE = 0.6;
/** What was found can be read. */
const LEAST_CENTRED_SCALE = 0.8;
const REACH_PX = 14;
const LEAST_REACH = 10;
/** So much of a label is clicked, in the drawing's units. */
const LABEL = 150;
const MARGIN_PX = 60;

export interface BoardActions {
  select(place: number): void;
  toggle(place: number): void;
  key(event: KeyboardEvent): void;
  /** Another part of the drawing shows. */
  moved(): void;
}

/** The canvas: draws the map when something has changed, and while calls are in flight. */
export class DrawingBoard {
  private canvas: HTMLCanvasElement | undefined;
  private camera: Camera = { x: 0, y: 0, scale: 1, across: 1 };
  /** False until the user, or an earlier life of this page, has chosen what shows. */
  private placed = false;
  private window: Size = { width: 0, height: 0 };
  private theme: Theme | undefined;
  private hovered: number | undefined;
  private due = false;
  private readonly size = new ResizeObserver(() => this.resize());

  constructor(
    private readonly model: MapModel,
    private readonly actions: BoardActions,
  ) {
    watchTheme(() => {
      this.theme = undefined;
      this.draw();
    });
  }

  /** What shows, for the next life of this page. */
  get view(): Camera | undefined {
    return this.placed ? this.camera : undefined;
  }

  restore(view: Camera | undefined): void {
    if (!view || ![view.x, view.y, view.scale, view.across].every(Number.isFinite)) return;
    const scale = Math.max(0, view.scale);
    this.camera = { x: view.x, y: view.y, scale, across: Math.max(scale, view.across) };
    this.placed = true;
  }

  setCanvas(element: Element | undefined): void {
    if (element === this.canvas) return;
    this.size.disconnect();
    this.canvas = element instanceof HTMLCanvasElement ? element : undefined;
    if (!this.canvas) return;
    this.size.observe(this.canvas);
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("focus", () => this.draw());
    this.canvas.addEventListener("blur", () => this.draw());
    listenToPointer(this.canvas, {
      camera: () => this.camera,
      move: (camera) => this.move(camera),
      zoom: (factor, at) => this.zoom(factor, at),
      click: (at, twice) => {
        const place = this.hostAt(at);
        if (place === undefined) return;
        if (twice) this.actions.toggle(place);
        else this.actions.select(place);
      },
      aim: (at) => {
        const place = this.hostAt(at) ?? 0;
        // VS Code reads it when the menu opens, which is before anything is drawn anew
        this.canvas?.setAttribute("data-vscode-context", contextOf(this.model, place));
        if (place > 0) this.actions.select(place);
      },
      hover: (at) => {
        const place = at && this.hostAt(at);
        if (place === this.hovered) return;
        this.hovered = place;
        this.canvas?.classList.toggle("over-host", place !== undefined);
        this.draw();
      },
    });
    this.resize();
  }

  mapChanged(): void {
    this.hovered = undefined;
    if (!this.placed) this.placeFirst();
    this.draw();
  }

  fit(): void {
    this.move(fitting(this.model.layout, this.window));
  }

  /** Shows all of these hosts, as large as they fit. */
  fitTo(places: readonly number[]): void {
    const { layout } = this.model;
    const shown = places.map((place) => layout.visible(place));
    const xs = shown.map((place) => layout.x(place));
    const ys = shown.map((place) => layout.y(place));
    const left = Math.min(...xs);
    const top = Math.min(...ys);
    const width = Math.max(...xs) - left + 200;
    const size = { width, height: Math.max(...ys) - top + 1, leastAcross: layout.leastAcross };
    const room = {
      width: this.window.width - 2 * MARGIN_PX,
      height: this.window.height - 2 * MARGIN_PX,
    };
    const { x, y, scale, across } = fitting(size, room);
    const at = { x: x + MARGIN_PX - left * across, y: y + MARGIN_PX - top * scale };
    this.move({ ...at, scale, across });
  }

  /** Around the middle, or around a point of the window. */
  zoom(factor: number, at?: Point): void {
    const middle = { x: this.window.width / 2, y: this.window.height / 2 };
    this.move(zoomed(this.camera, factor, at ?? middle, this.model.layout));
  }

  /** Brings the host into the middle, with this overlord as far as there is room for both. */
  centre(place: number): void {
    const camera = centred(this.camera, this.pointOf(place), this.window, LEAST_CENTRED_SCALE);
    const { x, across } = camera;
    const left = this.pointOf(0).x * across + x;
    const right = (this.pointOf(place).x + LABEL) * across + x;
    const room = this.window.width - 2 * MARGIN_PX;
    const fits = right - left <= room;
    this.move(fits ? { ...camera, x: x + (this.window.width - left - right) / 2 } : camera);
  }

  /** Moves no further than it takes for the host to show. */
  bringIntoView(place: number): void {
    const { camera } = this;
    const at = toWindow(camera, this.pointOf(place));
    const { width, height } = this.window;
    const off = (from: number, room: number): number =>
      Math.max(0, MARGIN_PX - from) - Math.max(0, from - room);
    const moved = {
      x: off(at.x, width - MARGIN_PX - LABEL * camera.across),
      y: off(at.y, height - MARGIN_PX),
    };
    if (moved.x === 0 && moved.y === 0) return;
    this.move({ ...camera, x: camera.x + moved.x, y: camera.y + moved.y });
  }

  /** Whatever `change` does to the layout, the host stays where it is in the window. */
  keepInPlace(place: number, change: () => void): void {
    const before = this.pointOf(place);
    change();
    const after = this.pointOf(place);
    const { camera } = this;
    const by = (before.y - after.y) * camera.scale;
    this.move({ ...camera, y: camera.y + by });
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

  private drawNow(nowMs: number): void {
    const { canvas, model, window, camera, hovered } = this;
    const context = canvas?.getContext("2d", { alpha: false });
    if (!canvas?.isConnected || !context || window.width === 0) return;
    this.theme ??= readTheme();
    const ratio = devicePixelRatio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const atRest = wantsRest();
    const focused = document.activeElement === canvas;
    const { theme } = this;
    drawMap(model, { context, window, camera, theme, nowMs, atRest, hovered, focused });
    if (model.traffic.isMoving && !atRest) this.draw();
  }

  private key(event: KeyboardEvent): void {
    if (event.key === "+" || event.key === "-") this.zoom(event.key === "+" ? 1.3 : 1 / 1.3);
    else this.actions.key(event);
  }

  private resize(): void {
    const { canvas } = this;
    if (!canvas) return;
    const { clientWidth, clientHeight } = canvas;
    const first = this.window.width === 0;
    if (!first) {
      // what was in the middle stays there
      this.camera.x += (clientWidth - this.window.width) / 2;
      this.camera.y += (clientHeight - this.window.height) / 2;
    }
    this.window = { width: clientWidth, height: clientHeight };
    canvas.width = Math.round(clientWidth * devicePixelRatio);
    canvas.height = Math.round(clientHeight * devicePixelRatio);
    if (first && !this.placed) this.placeFirst();
    // a canvas that has changed its size is empty
    this.drawNow(performance.now());
  }

  private placeFirst(): void {
    const { layout } = this.model;
    const camera = fitting(layout, this.window);
    if (camera.scale >= LEAST_FIRST_SCALE) {
      this.camera = camera;
      return;
    }
    const scale = LEAST_FIRST_SCALE;
    const across = Math.max(scale, layout.leastAcross);
    this.camera = { scale, across, x: 20, y: this.window.height / 2 - layout.y(0) * scale };
  }

  private move(camera: Camera): void {
    this.camera = held(camera, this.model.layout, this.window);
    this.placed = true;
    this.actions.moved();
    this.draw();
  }

  private pointOf(place: number): { x: number; y: number } {
    const { layout } = this.model;
    return { x: layout.x(place), y: layout.y(place) };
  }

  /** A host's sign, or its name to the right of it. */
  private hostAt(at: { x: number; y: number }): number | undefined {
    const { camera } = this;
    const reach = {
      x: REACH_PX / camera.across,
      y: Math.max(LEAST_REACH, Math.min(ROW / 2, REACH_PX / camera.scale)),
    };
    return this.model.layout.at(toDrawing(camera, at), reach, LABEL);
  }
}
