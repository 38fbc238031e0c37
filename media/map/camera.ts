const MIN_SCALE = 0.0005;
const MAX_SCALE = 2.5;

/**
 * Which part of the drawing shows: a point of it is at `x * across + camera.x`, `y * scale + camera.y` in the
 * window. Tiers do not come as close to each other as hosts do: a map of thousands would be a line.
 */
export interface Camera {
  x: number;
  y: number;
  scale: number;
  /** At least as large as `scale`. */
  across: number;
}

export interface Size {
  width: number;
  height: number;
}

/** What is drawn, in its own units. */
export interface Drawing extends Size {
  /** The least that `across` may be. */
  leastAcross: number;
}

export interface Point {
  x: number;
  y: number;
}

/** Where a point of the drawing is in the window. */
export function toWindow({ x, y, scale, across }: Camera, point: Point): Point {
  return { x: point.x * across + x, y: point.y * scale + y };
}

/** Which point of the drawing is there in the window. */
export function toDrawing({ x, y, scale, across }: Camera, at: Point): Point {
  return { x: (at.x - x) / across, y: (at.y - y) / scale };
}

/** The camera moved so that the point of the drawing under `at` stays there. */
export function zoomed(
  camera: Camera,
  factor: number,
  at: Point,
  { leastAcross }: Drawing,
): Camera {
  const scale = Math.min(MAX_SCALE, Math.max(MIN_SCALE, camera.scale * factor));
  const across = Math.max(scale, leastAcross);
  const point = toDrawing(camera, at);
  return { scale, across, x: at.x - point.x * across, y: at.y - point.y * scale };
}

/** The camera that shows all, as large as it fits, but never larger than life. */
export function fitting(drawing: Drawing, window: Size): Camera {
  const wide = Math.min(1, window.width / drawing.width);
  const high = Math.min(1, window.height / drawing.height);
  const across = Math.max(wide, drawing.leastAcross);
  const scale = Math.max(MIN_SCALE, Math.min(high, across));
  return {
    scale,
    across,
    x: Math.max(0, (window.width - drawing.width * across) / 2),
    y: (window.height - drawing.height * scale) / 2,
  };
}

/** The camera with this point of the drawing in the middle of the window, no smaller than it can be read. */
export function centred(camera: Camera, point: Point, window: Size, least: number): Camera {
  const scale = Math.max(camera.scale, least);
  const across = Math.max(camera.across, scale);
  const x = window.width / 2 - point.x * across;
  return { scale, across, x, y: window.height / 2 - point.y * scale };
}

/** Keeps some of the drawing in the window. */
export function held(camera: Camera, drawing: Size, window: Size): Camera {
  const keep = (at: number, length: number, room: number): number =>
    Math.min(room * 0.75, Math.max(room * 0.25 - length, at));
  return {
    ...camera,
    x: keep(camera.x, drawing.width * camera.across, window.width),
    y: keep(camera.y, drawing.height * camera.scale, window.height),
  };
}
