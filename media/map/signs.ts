import type { HostKind } from "../../extension/webviews/mapProtocol";
import type { Theme } from "./theme";

/** How a host looks: each kind has a shape of its own, since colour alone tells nothing to some. */
export interface Sign {
  kind: HostKind;
  /** Jobs run on it. */
  busy: boolean;
  radius: number;
  /** It has hosts of its own: a ring around it. */
  overlord: boolean;
}

export const TOP_RADIUS = 11;
export const OVERLORD_RADIUS = 7;
export const LEAF_RADIUS = 4.5;

export function colourOf(theme: Theme, kind: HostKind, busy: boolean): string {
  if (kind === "unreachable") return theme.unreachable;
  if (busy) return theme.running;
  return kind === "online" ? theme.online : theme.unknown;
}

/** The radius of the ring around the sign of an overlord. */
export function ringOf(radius: number): number {
  return radius * 1.6;
}

/** Draws the sign around (x, y), in a context whose unit is a pixel of the window. */
export function drawSign(
  context: CanvasRenderingContext2D,
  theme: Theme,
  { kind, busy, radius, overlord }: Sign,
  x: number,
  y: number,
): void {
  const colour = colourOf(theme, kind, busy);
  if (overlord) {
    // no line shows through the ring
    context.fillStyle = theme.background;
    context.beginPath();
    context.arc(x, y, ringOf(radius), 0, Math.PI * 2);
    context.fill();
  }
  context.fillStyle = colour;
  context.strokeStyle = colour;
  context.lineWidth = Math.max(1, radius / 4);
  context.beginPath();
  if (kind === "unreachable") triangle(context, x, y, radius * 1.2);
  else context.arc(x, y, kind === "unknown" ? radius * 0.85 : radius, 0, Math.PI * 2);
  const hollow = kind === "unknown" && !busy;
  if (hollow) context.fillStyle = theme.background;
  context.fill();
  if (hollow) context.stroke();
  if (overlord) ring(context, x, y, ringOf(radius));
  if (radius < 4) return;
  context.strokeStyle = theme.background;
  context.lineWidth = Math.max(1.2, radius / 4.5);
  context.lineCap = "round";
  context.lineJoin = "round";
  context.beginPath();
  if (kind === "unreachable") exclamation(context, x, y, radius);
  else if (busy) arrow(context, x, y, radius);
  else if (kind === "online") tick(context, x, y, radius);
  context.stroke();
}

function ring(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  context.lineWidth = 1.2;
  context.beginPath();
  context.arc(x, y, radius, 0, Math.PI * 2);
  context.stroke();
}

function triangle(context: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  context.moveTo(x, y - size);
  context.lineTo(x + size, y + size * 0.8);
  context.lineTo(x - size, y + size * 0.8);
  context.closePath();
}

function exclamation(context: CanvasRenderingContext2D, x: number, y: number, r: number): void {
  context.moveTo(x, y - r * 0.4);
  context.lineTo(x, y + r * 0.2);
  context.moveTo(x, y + r * 0.6);
  context.lineTo(x, y + r * 0.6);
}

function tick(context: CanvasRenderingContext2D, x: number, y: number, r: number): void {
  context.moveTo(x - r * 0.45, y + r * 0.05);
  context.lineTo(x - r * 0.1, y + r * 0.4);
  context.lineTo(x + r * 0.5, y - r * 0.35);
}

function arrow(context: CanvasRenderingContext2D, x: number, y: number, r: number): void {
  context.moveTo(x - r * 0.2, y - r * 0.45);
  context.lineTo(x + r * 0.35, y);
  context.lineTo(x - r * 0.2, y + r * 0.45);
}
