import type { Camera, Point } from "./camera";

/** Beyond it a press is a pull. */
const CLICK_PX = 4;
/** Of a wheel's notch. */
const WHEEL_ZOOM = 0.0018;
const PINCH_ZOOM = 0.01;
const PAN_PX_PER_LINE = 16;

export interface PointerActions {
  camera(): Camera;
  move(camera: Camera): void;
  zoom(factor: number, at: Point): void;
  click(at: Point, twice: boolean): void;
  /** Something is about to be asked of the host there: a menu opens. */
  aim(at: Point): void;
  hover(at: Point | undefined): void;
}

/** Lets the drawing be pulled, turned larger and smaller by the wheel, and clicked. */
export function listenToPointer(canvas: HTMLCanvasElement, actions: PointerActions): void {
  let pulled: { id: number; x: number; y: number; moved: boolean } | undefined;
  const at = (event: MouseEvent): Point => {
    const { left, top } = canvas.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button === 2) actions.aim(at(event));
    if (event.button !== 0 && event.button !== 1) return;
    pulled = { id: event.pointerId, x: event.clientX, y: event.clientY, moved: false };
    if (event.isTrusted) canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (pulled?.id !== event.pointerId) {
      actions.hover(at(event));
      return;
    }
    const x = event.clientX - pulled.x;
    const y = event.clientY - pulled.y;
    if (!pulled.moved && Math.hypot(x, y) < CLICK_PX) return;
    pulled = { id: pulled.id, x: event.clientX, y: event.clientY, moved: true };
    canvas.classList.add("pulled");
    const camera = actions.camera();
    actions.move({ ...camera, x: camera.x + x, y: camera.y + y });
  });
  const release = (event: PointerEvent): void => {
    if (pulled?.id !== event.pointerId) return;
    const clicked = !pulled.moved && event.type === "pointerup" && event.button === 0;
    pulled = undefined;
    canvas.classList.remove("pulled");
    if (clicked) actions.click(at(event), false);
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", () => actions.hover(undefined));
  canvas.addEventListener("dblclick", (event) => actions.click(at(event), true));
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? PAN_PX_PER_LINE : 1;
      const camera = actions.camera();
      if (event.shiftKey) {
        const sideways = event.deltaX === 0 ? event.deltaY : event.deltaX;
        actions.move({ ...camera, x: camera.x - sideways * unit });
        return;
      }
      // a pinch on a touchpad comes as a wheel with the control key
      const speed = event.ctrlKey ? PINCH_ZOOM : WHEEL_ZOOM;
      actions.zoom(Math.exp(-event.deltaY * unit * speed), at(event));
    },
    { passive: false },
  );
}
