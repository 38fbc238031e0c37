const MIN_SCALE = 0.004;
const MAX_SCALE = 2.5;

/** Which part of the drawing shows: a point of it is at `point * scale + (x, y)` in the window. */
export interface Camera {
  x: number;
  y: number;
  scale: number;
}

export interface Size {
  width: number;
  height: number;
}

/** The camera moved so that the point of the drawing under `at` stays there. */
export function zoomed(camera: Camera, factor: number, at: { x: number; y: number }): Camera {
  const scale = Math.min(MAX_SCALE, Math.max(MIN_SCALE, camera.scale * factor));
  const by = scale / camera.scale;
  return { scale, x: at.x - (at.x - camera.x) * by, y: at.y - (at.y - camera.y) * by };
}

/** The camera that shows all, never larger than life. */
export function fitting(drawing: Size, window: Size): Camera {
  const fit = Math.min(window.width / drawing.width, window.height / drawing.height);
  const scale = Math.max(MIN_SCALE, Math.min(1, fit));
  return {
    scale,
    x: Math.max(0, (window.width - drawing.width * scale) / 2),
    y: (window.height - drawing.height * scale) / 2,
  };
}

/** The camera with this point of the drawing in the middle of the window, no smaller than it can be read. */
export function centred(
  camera: Camera,
  point: { x: number; y: number },
  window: Size,
  least: number,
): Camera {
  const scale = Math.max(camera.scale, least);
  return { scale, x: window.width / 2 - point.x * scale, y: window.height / 2 - point.y * scale };
}

/** Keeps some of the drawing in the window. */
export function held(camera: Camera, drawing: Size, window: Size): Camera {
  const keep = (at: number, length: number, room: number): number =>
    Math.min(room * 0.75, Math.max(room * 0.25 - length * camera.scale, at));
  return {
    scale: camera.scale,
    x: keep(camera.x, drawing.width, window.width),
    y: keep(camera.y, drawing.height, window.height),
  };
}
