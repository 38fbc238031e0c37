import type { Picture } from "./drawing";
import type { MapModel } from "./mapModel";
import { minionCount } from "./words";

/** Smaller than this nobody reads the names. */
export const LABEL_SCALE = 0.55;
/** So much of a name fits beside its sign. */
const MAX_LENGTH = 26;

/** Writes the host's name beside its sign, of a sub-overlord also how many minions it has. */
export function drawLabel(
  model: MapModel,
  { context, camera, theme, hovered }: Picture,
  place: number,
  { x, y, radius }: { x: number; y: number; radius: number },
): void {
  const { tree } = model;
  const size = theme.fontPx * Math.min(1.2, Math.max(0.8, camera.scale));
  const overlord = tree.isOverlord(place);
  const left = x + radius + 7;
  const name = place === hovered ? tree.nameOf(place) : shortened(tree.nameOf(place));
  context.textBaseline = "middle";
  context.lineJoin = "round";
  const write = (text: string, colour: string, at: number, px: number): void => {
    context.font = `${px}px ${theme.font}`;
    if (overlord) {
      // the lines to its minions behind the letters would make them hard to read
      context.strokeStyle = theme.background;
      context.lineWidth = 3.5;
      context.strokeText(text, left, at);
    }
    context.fillStyle = colour;
    context.fillText(text, left, at);
  };
  if (!overlord && place !== 0) {
    write(name, theme.text, y, size);
    return;
  }
  const folded = overlord && !model.expanded.has(place);
  const count = place === 0 ? "this overlord" : minionCount(tree.behind(place));
  write(name, theme.text, y - size * 0.62, size);
  write(folded ? `${count} ▸` : count, theme.dim, y + size * 0.62, size * 0.88);
}

function shortened(name: string): string {
  return name.length > MAX_LENGTH ? `${name.slice(0, MAX_LENGTH - 1)}…` : name;
}
