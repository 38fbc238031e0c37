import { Uri } from "vscode";

/** More of them nobody can tell apart. */
const STEPS = 24;
const RADIUS = 5.5;
const LENGTH = 2 * Math.PI * RADIUS;

const COLOURS = {
  dark: { track: "#6e7681", done: "#4daafc", failed: "#f85149" },
  light: { track: "#b0b7c0", done: "#005fb8", failed: "#c72e0f" },
};

const kept = new Map<string, { light: Uri; dark: Uri }>();

/** A ring that fills as a job gets on: `done` of `total`, of which `failed` in red at its end. */
export function progressRing(
  done: number,
  failed: number,
  total: number,
): { light: Uri; dark: Uri } {
  // neither full before the end nor without a trace of a failure
  const doneSteps = Math.min(STEPS - 1, Math.floor((STEPS * done) / Math.max(1, total)));
  const some = failed > 0 ? 1 : 0;
  const failedSteps = Math.max(some, Math.round((STEPS * failed) / Math.max(1, total)));
  const key = `${doneSteps}/${failedSteps}`;
  const known = kept.get(key);
  if (known) return known;
  const ring = {
    light: drawn("light", doneSteps, failedSteps),
    dark: drawn("dark", doneSteps, failedSteps),
  };
  kept.set(key, ring);
  return ring;
}

function drawn(theme: "light" | "dark", done: number, failed: number): Uri {
  const { track, done: colour, failed: red } = COLOURS[theme];
  const whole = Math.max(done, failed);
  const arcs = [
    circle(track, STEPS, 0),
    whole > failed ? circle(colour, whole - failed, 0) : "",
    failed > 0 ? circle(red, failed, whole - failed) : "",
  ];
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">${arcs.join("")}</svg>`;
  return Uri.from({
    scheme: "data",
    path: `image/svg+xml;base64,${Buffer.from(svg, "utf8").toString("base64")}`,
  });
}

/** An arc of so many steps, after `from` of them, clockwise from the top. */
function circle(colour: string, steps: number, from: number): string {
  const length = (LENGTH * steps) / STEPS;
  const turned = -90 + (360 * from) / STEPS;
  return (
    `<circle cx="8" cy="8" r="${RADIUS}" fill="none" stroke="${colour}" stroke-width="3"` +
    ` stroke-dasharray="${length.toFixed(2)} ${LENGTH.toFixed(2)}" transform="rotate(${turned} 8 8)"/>`
  );
}
