import type { LineCounter } from "yaml";
import { MAX_MAP_DEPTH, MAX_MAP_NODES, nameKey, type MapNode } from "./delegationMap";

const MAX_NAME_LENGTH = 253;
/** Four spaces a tier, a name that needs no more than quotes, and "{}" behind who has nobody behind it. */
const LINE = /^((?: {4})*)(?:([A-Za-z_][A-Za-z0-9_.-]*)|"([A-Za-z0-9_.-]+)"):( \{\})?$/;
const TIER = 4;

interface Tier {
  nodes: MapNode[];
  names: Set<string>;
}

/**
 * Reads a map as `formatMap` writes it, many times as fast as YAML is read; undefined of any other text, also of one
 * with something wrong in it. Fills `places` and `lines` as `readMap` does.
 */
export function readPlainMap(
  text: string,
  places?: Map<MapNode, number>,
  lines?: LineCounter,
): MapNode[] | undefined {
  const top: Tier = { nodes: [], names: new Set() };
  /** Those that the line before stands in, and behind it. */
  const tiers = [top];
  const found: { node: MapNode; at: number }[] = [];
  const starts: number[] = [];
  let isOpen = false;
  for (let at = 0; at < text.length;) {
    const end = text.indexOf("\n", at);
    const line = text.slice(at, end < 0 ? text.length : end);
    starts.push(at);
    if (at > 0 || line !== "---") {
      const [, indent = "", plain, quoted, leaf] = LINE.exec(line) ?? [];
      const name = plain ?? quoted;
      const depth = indent.length / TIER;
      if (name === undefined || depth >= MAX_MAP_DEPTH || found.length >= MAX_MAP_NODES) return;
      // whoever is open has somebody behind it, and nobody else has
      if (isOpen ? depth !== tiers.length - 1 : depth >= tiers.length) return;
      tiers.length = depth + 1;
      const tier = tiers[depth];
      const key = nameKey(name);
      if (!tier || tier.names.has(key) || name.length > MAX_NAME_LENGTH) return;
      tier.names.add(key);
      const children: MapNode[] = [];
      const node = { name, children };
      tier.nodes.push(node);
      found.push({ node, at: at + indent.length });
      isOpen = leaf === undefined;
      if (isOpen) tiers.push({ nodes: children, names: new Set() });
    }
    if (end < 0) break;
    at = end + 1;
  }
  if (isOpen || found.length === 0) return undefined;
  for (const { node, at } of found) places?.set(node, at);
  for (const start of starts) lines?.addNewLine(start);
  return top.nodes;
}
