import { LineCounter } from "yaml";
import { isMinionName } from "../common/minionName";
import type { MapProblem } from "../protocol/delegation";
import { nameKey, type MapNode } from "./delegationMap";
import { readMap, type MapPlaces } from "./mapText";

const MAX_PROBLEMS = 200;

/**
 * What is wrong with a map's text, and what is strange in it: hosts that stand above themselves, and at its top those
 * that are no minions here. At most 200.
 */
export function checkMap(text: string, isMinion: (name: string) => boolean): MapProblem[] {
  const lines = new LineCounter();
  const places: MapPlaces = new Map();
  const { nodes, problems } = readMap(text, MAX_PROBLEMS, places, lines);
  const found: MapProblem[] = problems.map((problem) => ({ ...problem, severity: "error" }));
  const warn = (node: MapNode, message: string): void => {
    if (found.length >= MAX_PROBLEMS) return;
    const { line, col: column } = lines.linePos(places.get(node) ?? 0);
    found.push({ line, column, length: node.name.length, severity: "warning", message });
  };
  const visit = (node: MapNode, above: readonly string[]): void => {
    const key = nameKey(node.name);
    if (!isMinionName(key)) {
      warn(node, `"${node.name}" is no name that a host can have here.`);
    } else if (above.length === 0 && !isMinion(key)) {
      warn(node, `${node.name} is no minion of this overlord, so it cannot be called this way.`);
    }
    if (above.includes(key) && node.children.length > 0) {
      warn(node, `${node.name} stands above itself; what is behind it here is not needed.`);
    }
    const below = [...above, key];
    for (const child of node.children) visit(child, below);
  };
  for (const node of nodes) visit(node, []);
  return found;
}
