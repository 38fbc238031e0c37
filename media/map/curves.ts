/** A line from a host to one behind it: level at both ends. */
export interface Curve {
  fromX: number;
  fromY: number;
  toX: number;
  toY: number;
}

export function curveBetween(from: { x: number; y: number }, to: { x: number; y: number }): Curve {
  return { fromX: from.x, fromY: from.y, toX: to.x, toY: to.y };
}

export function traceCurve(context: CanvasRenderingContext2D, curve: Curve): void {
  const { fromX, fromY, toX, toY } = curve;
  const middle = (fromX + toX) / 2;
  context.moveTo(fromX, fromY);
  context.bezierCurveTo(middle, fromY, middle, toY, toX, toY);
}

/** The point at this part of the way, 0 at the beginning. */
export function pointOn({ fromX, fromY, toX, toY }: Curve, part: number): { x: number; y: number } {
  const rest = 1 - part;
  const middle = (fromX + toX) / 2;
  const near = 3 * rest * rest * part;
  const far = 3 * rest * part * part;
  const start = rest ** 3;
  const end = part ** 3;
  return {
    x: start * fromX + (near + far) * middle + end * toX,
    y: (start + near) * fromY + (far + end) * toY,
  };
}
