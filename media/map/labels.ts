import type { MapModel } from "./mapModel";
import type { Placing } from "./placing";
import { drawSign, ringOf } from "./signs";
import type { Theme } from "./theme";
import { minionCount } from "./words";

/** Smaller than this nobody reads the names. */
export const LABEL_SCALE = 0.55;
/** A sub-overlord has its name where its minions reach over so many pixels: others keep away from it. */
const LABEL_HEIGHT = 34;
/** So much of a name fits beside its sign. */
const MAX_LENGTH = 26;
/** Lines to an overlord's minions spread behind its name, which may be so much of the way to them. */
const MOST_OF_COLUMN = 0.62;
const GAP_PX = 7;
const MAX_WIDTHS = 10_000;

/** The name of a host, and what stands below it. */
export interface Label {
  name: string;
  /** Of an overlord: whose it is, or how many minions it has. */
  below: string | undefined;
  /** Of a folded overlord: how many hosts behind it are unreachable. */
  away: number;
  /** Of the letters of the name, in pixels. */
  size: number;
  /** Of all of it. */
  width: number;
}

/** How labels look, and where lines leave room for them. */
export class Labels {
  private readonly widths = new Map<string, number>();

  constructor(
    private readonly context: CanvasRenderingContext2D,
    private readonly theme: Theme,
  ) {}

  /** Whether the name shows without being asked for. */
  isNamed(model: MapModel, placing: Placing, place: number): boolean {
    const { scale } = placing.camera;
    if (scale >= LABEL_SCALE || model.callPath.includes(place)) return true;
    const span = model.layout.spanOf(place);
    return span !== undefined && (span.bottom - span.top) * scale >= LABEL_HEIGHT;
  }

  /** `whole`: the name is not cut. */
  labelOf(model: MapModel, placing: Placing, place: number, whole = false): Label {
    const { tree, layout } = model;
    const size = this.theme.fontPx * Math.min(1.2, Math.max(0.8, placing.camera.scale));
    const overlord = place === 0 || tree.isOverlord(place);
    const open = layout.spanOf(place) !== undefined;
    const count = minionCount(tree.behind(place));
    const below = !overlord
      ? undefined
      : place === 0
        ? "this overlord"
        : open
          ? count
          : `${count} ▸`;
    const room = open && !whole ? placing.columnPx * MOST_OF_COLUMN : Infinity;
    const name = this.cut(tree.nameOf(place), whole ? Infinity : MAX_LENGTH, room, size);
    const width = Math.max(
      this.width(name, size),
      below === undefined ? 0 : this.width(below, size * 0.88),
    );
    const away = overlord && !open ? model.shares.unreachableBehind(place) : 0;
    return { name, below, away, size, width };
  }

  /** How far right of the host its lines begin to spread, in pixels: behind its name. */
  offX(model: MapModel, placing: Placing, place: number, radius: number): number {
    if (!model.layout.spanOf(place) || !this.isNamed(model, placing, place)) return 0;
    const { width } = this.labelOf(model, placing, place);
    return ringOf(radius) + width + 2 * GAP_PX;
  }

  /** Writes it beside the sign at (x, y). `covers`: what is there already is covered. */
  draw(label: Label, x: number, y: number, radius: number, covers: boolean): void {
    const { context, theme } = this;
    const { name, below, away, size, width } = label;
    const left = x + radius + GAP_PX;
    context.textBaseline = "middle";
    if (covers) {
      const height = below === undefined ? size * 1.5 : size * 2.5;
      context.fillStyle = theme.background;
      context.beginPath();
      context.roundRect(left - 4, y - height / 2, width + 8, height, 3);
      context.fill();
    }
    this.write(name, theme.text, left, below === undefined ? y : y - size * 0.66, size);
    if (below === undefined) return;
    const second = y + size * 0.66;
    const px = size * 0.88;
    this.write(below, theme.dim, left, second, px);
    if (away === 0) return;
    const at = left + this.width(below, px) + size;
    drawSign(
      context,
      theme,
      { kind: "unreachable", busy: false, radius: 4, overlord: false },
      at,
      second,
    );
    this.write(away.toLocaleString(), theme.text, at + 8, second, px);
  }

  write(text: string, colour: string, x: number, y: number, px: number): void {
    const { context, theme } = this;
    context.font = `${px}px ${theme.font}`;
    context.fillStyle = colour;
    context.fillText(text, x, y);
  }

  /** In pixels, of letters of this size. */
  width(text: string, px: number): number {
    let width = this.widths.get(text);
    if (width === undefined) {
      this.context.font = `100px ${this.theme.font}`;
      width = this.context.measureText(text).width / 100;
      if (this.widths.size >= MAX_WIDTHS) this.widths.clear();
      this.widths.set(text, width);
    }
    return width * px;
  }

  private cut(name: string, most: number, room: number, size: number): string {
    const width = this.width(name, size);
    const fitting = width > room ? Math.floor((name.length * room) / width) : most;
    const length = Math.max(4, Math.min(most, fitting));
    return name.length > length ? `${name.slice(0, length - 1)}…` : name;
  }
}
