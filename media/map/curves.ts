/** A line from a host to one behind it: straight below the name, then a curve that is level at both ends. */
export interface Curve {
  startX: number;
  /** Where the curve begins. */
  fromX: number;
  fromY: number;
  toX: number;
  toY: number;
}

/** `offX`: how long the straight part is. */
export function curveBetween(
  from: { x: number; y: number },
  to: { x: number; y: number },
  offX: number,
): Curve {
  return { startX: from.x, fromX: from.x + offX, fromY: from.y, toX: to.x, toY: to.y };
}

export function traceCurve(context: CanvasRenderingContext2D, curve: Curve): void {
  const { startX, fromX, fromY, toX, toY } = curve;
  const middle = (fromX + toX) / 2;
  context.moveTo(startX, fromY);
  context.lineTo(fromX, fromY);
  context.bezierCurveTo(middle, fromY, middle, toY, toX, toY);
}

/** The point at this part of the way, 0 at the beginning. */
export function pointOn(curve: Curve, part: number): { x: number; y: number } {
  const { startX, fromX, fromY, toX, toY } = curve;
  const x = startX + part * (toX - startX);
  const ahead = toX - fromX;
  const along = ahead === 0 ? 1 : (x - fromX) / ahead;
  if (along <= 0) return { x, y: fromY };
  const rest = 1 - along;
  const middle = (fromX + toX) / 2;
  const near = 3 * rest * rest * along;
  const far = 3 * rest * along * along;
  const start = rest ** 3;
  const end = along ** 3;
  return {
    x: start * fromX + (near + far) * middle + end * toX,
    y: (start + near) * fromY + (far + end) * toY,
  };
}
