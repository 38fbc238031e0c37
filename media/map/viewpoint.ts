import { centred, fitting, held, zoomed, type Camera, type Point, type Size } from "./camera";
import { glideAt } from "./glide";
import type { MapModel } from "./mapModel";
import { LABEL, Placing } from "./placing";

/** A map that would be smaller than this at first shows its beginning instead. */
const LEAST_FIRST_SCALE = 0.6;
/** What was found can be read. */
const LEAST_CENTRED_SCALE = 0.8;
const MARGIN_PX = 60;
/** Where the card leaves less of the window free, what is to show may lie behind it. */
const LEAST_FREE_PX = 260;
const LEAST_FITTED_PX = 560;
const GLIDE_MS = 280;

export interface ViewpointRules {
  /** Another part of the map shows. */
  moved(): void;
  /** Nothing shall move of its own accord. */
  atRest(): boolean;
}

/** Which part of the map shows in the window. */
export class Viewpoint {
  camera: Camera = { x: 0, y: 0, scale: 1, across: 1 };
  window: Size = { width: 0, height: 0 };
  /** False until the user, or an earlier life of this page, has chosen what shows. */
  private placed = false;
  /** To where the camera is on its way. */
  private glide: { from: Camera; to: Camera; startMs: number } | undefined;

  constructor(
    private readonly model: MapModel,
    private readonly rules: ViewpointRules,
  ) {}

  get isGliding(): boolean {
    return this.glide !== undefined;
  }

  get placing(): Placing {
    return new Placing(this.model.layout, this.camera, this.window);
  }

  /** What shows, for the next life of this page. */
  get kept(): Camera | undefined {
    return this.placed ? this.goal : undefined;
  }

  restore(view: Camera | undefined): void {
    if (!view || ![view.x, view.y, view.scale, view.across].every(Number.isFinite)) return;
    const scale = Math.max(0, view.scale);
    this.camera = { x: view.x, y: view.y, scale, across: Math.max(scale, view.across) };
    this.placed = true;
  }

  mapChanged(): void {
    if (this.window.width > 0) this.arrive();
    this.placeUnlessSeen();
  }

  resize(window: Size): void {
    this.arrive();
    const before = this.window;
    this.window = window;
    if (before.width > 0) {
      // what was in the middle stays there
      this.camera.x += (window.width - before.width) / 2;
      this.camera.y += (window.height - before.height) / 2;
    } else this.placeUnlessSeen();
  }

  fit(cardPx: number): void {
    this.glideTo(fitting(this.model.layout, this.free(cardPx, LEAST_FITTED_PX)));
  }

  /** Shows all of these hosts as large as they fit, or the last of them where they would be too small to read. */
  fitTo(places: readonly number[], cardPx: number): void {
    const { layout } = this.model;
    const shown = places.map((place) => layout.visible(place));
    const xs = shown.map((place) => layout.x(place));
    const ys = shown.map((place) => layout.y(place));
    const left = Math.min(...xs);
    const top = Math.min(...ys);
    const width = Math.max(...xs) - left + 200;
    const size = { width, height: Math.max(...ys) - top + 1, leastAcross: layout.leastAcross };
    const free = this.free(cardPx, LEAST_FITTED_PX);
    const room = { width: free.width - 2 * MARGIN_PX, height: free.height - 2 * MARGIN_PX };
    const { x, y, scale, across } = fitting(size, room);
    const last = shown.at(-1);
    // overlords stay in the window with their minions
    if (scale < LEAST_CENTRED_SCALE && last !== undefined) this.centre(last, cardPx);
    else {
      const at = { x: x + MARGIN_PX - left * across, y: y + MARGIN_PX - top * scale };
      this.glideTo({ ...at, scale, across });
    }
  }

  /** Around a point of the window, or, in a glide, around its middle. */
  zoom(factor: number, at?: Point): void {
    const { layout } = this.model;
    const middle = { x: this.window.width / 2, y: this.window.height / 2 };
    if (at) this.move(zoomed(this.camera, factor, at, layout));
    else this.glideTo(zoomed(this.goal, factor, middle, layout));
  }

  /** Brings the host into the middle, with this overlord as far as there is room for both. */
  centre(place: number, cardPx: number): void {
    const free = this.free(cardPx, LEAST_FREE_PX);
    const camera = centred(this.goal, this.pointOf(place), free, LEAST_CENTRED_SCALE);
    const left = this.pointOf(0).x * camera.across;
    const length = (this.pointOf(place).x + LABEL) * camera.across - left;
    const room = free.width - 2 * MARGIN_PX;
    if (length <= room) this.glideTo({ ...camera, x: MARGIN_PX + (room - length) / 2 - left });
    // at half the height hosts are below the card
    else if (length <= this.window.width - 2 * MARGIN_PX) {
      this.glideTo({ ...camera, x: MARGIN_PX - left });
    } else this.glideTo(camera);
  }

  /** Moves no further than it takes for the host to show. */
  bringIntoView(place: number): void {
    this.arrive();
    const { camera } = this;
    const at = this.placing.point(place);
    const { width, height } = this.window;
    const off = (from: number, room: number): number =>
      Math.max(0, MARGIN_PX - from) - Math.max(0, from - room);
    // an overlord that is kept at the edge shows
    const least = Math.min(MARGIN_PX, height / 4);
    const y = at.y >= least / 2 && at.y <= height - least / 2 ? 0 : off(at.y, height - MARGIN_PX);
    const x = off(at.x, width - MARGIN_PX - LABEL * camera.across);
    if (x !== 0 || y !== 0) this.move({ ...camera, x: camera.x + x, y: camera.y + y });
  }

  /** Whatever `change` does to the layout, the host stays where it is in the window. */
  keepInPlace(place: number, change: () => void): void {
    this.arrive();
    const { y } = this.placing.point(place);
    change();
    const { camera } = this;
    this.move({ ...camera, y: y - this.pointOf(place).y * camera.scale });
  }

  /** At once; ends a glide. */
  move(camera: Camera): void {
    this.glide = undefined;
    this.camera = held(camera, this.model.layout, this.window);
    this.placed = true;
    this.rules.moved();
  }

  /** Goes on with a glide. */
  step(nowMs: number): void {
    if (!this.glide) return;
    const { from, to, startMs } = this.glide;
    const part = Math.max(0, (nowMs - startMs) / GLIDE_MS);
    if (part >= 1) this.arrive();
    else this.camera = glideAt(from, to, this.window, part);
  }

  /** What shows when a glide has come to its end. */
  private get goal(): Camera {
    return this.glide?.to ?? this.camera;
  }

  private glideTo(camera: Camera): void {
    const from = this.camera;
    this.move(camera);
    if (this.rules.atRest() || this.window.width === 0) return;
    this.glide = { from, to: this.camera, startMs: performance.now() };
    this.camera = from;
  }

  private arrive(): void {
    this.camera = this.goal;
    this.glide = undefined;
  }

  /** What was chosen may be a part of another map, where this one has no host. */
  private placeUnlessSeen(): void {
    if (this.placed && (this.window.width === 0 || this.seesHosts)) return;
    this.placed = false;
    this.placeFirst();
  }

  private get seesHosts(): boolean {
    const { placing, window } = this;
    return this.model.layout.order.some((place) => {
      const { x, y } = placing.point(place);
      return x >= 0 && x <= window.width && y >= 0 && y <= window.height;
    });
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

  /** The window less what the card takes of it. */
  private free(cardPx: number, least: number): Size {
    const width = this.window.width - cardPx;
    return width < least ? this.window : { ...this.window, width };
  }

  private pointOf(place: number): Point {
    const { layout } = this.model;
    return { x: layout.x(place), y: layout.y(place) };
  }
}
