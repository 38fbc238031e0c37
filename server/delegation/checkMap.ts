import { LineCounter } from "yaml";
import { isMinionName } from "../common/minionName";
import type { MapProblem } from "../protocol/delegation";
import type { Inventory } from "../targets/inventory";
import { nameKey, type MapNode } from "./delegationMap";
import type { MapIdentities } from "./mapIdentities";
import { readMap, type MapPlaces } from "./mapText";

const MAX_PROBLEMS = 200;
const MAX_NAMES = 5;

/** What an overlord knows of the hosts in a map. */
export interface KnownHosts {
  inventory: Pick<Inventory, "find" | "list">;
  /** After `load`. */
  seen: Pick<MapIdentities, "find" | "seenBehind" | "problem">;
  /** It is this overlord's own map: all its minions have to stand in it. */
  isOwn: boolean;
}

/**
 * What is wrong with a map's text, and what is strange in it, by line. With `known` also what an overlord knows
 * otherwise of its hosts. At most 200, errors before all else; a last one without a place tells how many more there are.
 */
export function checkMap(text: string, known?: KnownHosts): MapProblem[] {
  const lines = new LineCounter();
  const places: MapPlaces = new Map();
  const { nodes, problems } = readMap(text, MAX_PROBLEMS, places, lines);
  const check = new MapCheck(lines, places, known);
  if (problems.length === 0 && nodes.length === 0) check.empty();
  for (const node of nodes) check.host(node, []);
  if (known && problems.length === 0) check.whole(nodes, known);
  const errors: MapProblem[] = problems.map((one) => ({ ...one, severity: "error" }));
  const told = [...errors, ...check.errors, ...check.warnings].slice(0, MAX_PROBLEMS);
  told.sort((a, b) => a.line - b.line || a.column - b.column);
  const more = errors.length + check.count - told.length;
  if (more === 0) return told;
  const message = `${more} more problems are not told here.`;
  return [...told, { ...NOWHERE, severity: "warning", message }];
}

const NOWHERE = { line: 0, column: 0, length: 0 };

class MapCheck {
  readonly errors: MapProblem[] = [];
  readonly warnings: MapProblem[] = [];
  /** Also of those that are not in the lists, which are full. */
  count = 0;

  constructor(
    private readonly lines: LineCounter,
    private readonly places: MapPlaces,
    private readonly known: KnownHosts | undefined,
  ) {}

  empty(): void {
    const place = { line: 1, column: 1, length: 1 };
    this.add({ ...place, severity: "warning", message: "the map names no host." });
  }

  host(node: MapNode, above: readonly string[]): void {
    const key = nameKey(node.name);
    const path = [...above, key];
    if (above.length === 0 && this.known && !this.known.inventory.find(key)) {
      this.note(
        node,
        "error",
        `${node.name} is no minion of this overlord, so nothing can be called over it.`,
      );
    } else if (!isMinionName(key)) {
      this.note(node, "warning", `"${node.name}" is no name that a host can have here.`);
    } else if (this.known) this.compare(node, path, this.known);
    if (above.includes(key) && node.children.length > 0) {
      const message = `${node.name} stands above itself; what is behind it here is not needed.`;
      this.note(node, "warning", message);
    }
    for (const child of node.children) this.host(child, path);
  }

  /** What is to be told of no host alone. */
  whole(nodes: readonly MapNode[], { inventory, seen, isOwn }: KnownHosts): void {
    if (seen.problem) this.warn(seen.problem.message);
    if (!isOwn) return;
    const here = new Set(nodes.map(({ name }) => nameKey(name)));
    const missing = inventory.list().filter(({ name }) => !here.has(nameKey(name)));
    if (missing.length === 0) return;
    const names = missing.slice(0, MAX_NAMES).map(({ name }) => name);
    if (missing.length > MAX_NAMES) names.push(`${missing.length - MAX_NAMES} more`);
    const verb = missing.length === 1 ? "does" : "do";
    this.warn(`of this overlord's minions ${names.join(", ")} ${verb} not stand in the map.`);
  }

  /** Keys are learnt when a map is built, and from signed results. */
  private compare(node: MapNode, path: readonly string[], { seen }: KnownHosts): void {
    const identity = seen.find(path);
    if (path.length > 1 && !identity && !this.isBehindOriginal(path)) {
      const message = `${node.name} has never shown a key: nobody has found it behind ${path.slice(0, -1).join("/")}.`;
      this.note(node, "warning", message);
    }
    const behind = seen.seenBehind(path);
    if (node.children.length === 0 && behind > 0) {
      const hosts = behind === 1 ? "1 host has" : `${behind} hosts have`;
      this.note(
        node,
        "warning",
        `${node.name} has nobody behind it here, where ${hosts} been seen.`,
      );
    }
    if (node.children.length === 0 || behind > 0) return;
    const why =
      identity?.native === false
        ? "it is of the original, whose hosts show no keys, or has never answered"
        : "nobody has ever been found behind it";
    this.note(node, "warning", `${node.name} is not known to be a sub-overlord: ${why}.`);
  }

  private isBehindOriginal(path: readonly string[]): boolean {
    return path.some((_name, index) => {
      return index > 0 && this.known?.seen.find(path.slice(0, index))?.native === false;
    });
  }

  private note(node: MapNode, severity: MapProblem["severity"], message: string): void {
    const { line, col: column } = this.lines.linePos(this.places.get(node) ?? 0);
    this.add({ line, column, length: node.name.length, severity, message });
  }

  private warn(message: string): void {
    this.add({ ...NOWHERE, severity: "warning", message });
  }

  private add(problem: MapProblem): void {
    this.count++;
    const list = problem.severity === "error" ? this.errors : this.warnings;
    if (list.length < MAX_PROBLEMS) list.push(problem);
  }
}
