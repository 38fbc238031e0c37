import { LineCounter } from "yaml";
import { isMinionName } from "../common/minionName";
import { utcTime } from "../common/utcTime";
import type { MapProblem } from "../protocol/delegation";
import type { Inventory } from "../targets/inventory";
import { countNodes, nameKey, type MapNode } from "./delegationMap";
import type { MapIdentities } from "./mapIdentities";
import { readMap, type MapPlaces } from "./mapText";
import type { SeenBehind } from "./seenHosts";

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

/** What to do about hosts that are missing. */
function wayOut({ length }: readonly unknown[]): string {
  const who = length === 1 ? "it was" : "they were";
  return ` Unless ${who} taken out on purpose: func build-map.`;
}

/** Of a host that nobody has found there, and that is one of those above it by its name. */
function behindItself(path: readonly string[]): string | undefined {
  const name = path.at(-1) ?? "";
  const from = path.indexOf(name);
  if (from === path.length - 1) return undefined;
  const cycle = path.slice(from).join(" -> ");
  return `${name} stands behind itself (${cycle}), where nobody has found it: calls take the shorter way.`;
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

  host(node: MapNode, above: readonly MapNode[]): void {
    const nodes = [...above, node];
    const path = nodes.map(({ name }) => nameKey(name));
    const key = nameKey(node.name);
    if (above.length === 0 && this.known && !this.known.inventory.find(key)) {
      this.note(
        node,
        "error",
        `${node.name} is no minion of this overlord, so nothing can be called over it.`,
      );
    } else if (!isMinionName(key)) {
      this.note(node, "warning", `"${node.name}" is no name that a host can have here.`);
    } else if (this.known) this.compare(node, path, this.known);
    if (node.children.length > 0) this.cycle(nodes, path);
    for (const child of node.children) this.host(child, nodes);
  }

  /** What is to be told of no host alone. */
  whole(nodes: readonly MapNode[], { inventory, seen, isOwn }: KnownHosts): void {
    if (seen.problem) this.warn(seen.problem.message);
    if (!isOwn) return;
    const here = new Set(nodes.map(({ name }) => nameKey(name)));
    const missing = inventory.list().filter(({ name }) => !here.has(nameKey(name)));
    if (missing.length === 0) return;
    const verb = missing.length === 1 ? "does" : "do";
    const who = this.namesOf(missing.map(({ name }) => [nameKey(name)]));
    this.warn(`of this overlord's minions ${who} ${verb} not stand in the map.${wayOut(missing)}`);
  }

  /** Of several hosts with one name there is none. */
  private cycle(nodes: readonly MapNode[], path: readonly string[]): void {
    const last = nodes.length - 1;
    const from = path.indexOf(path[last] ?? "");
    const [node, first] = [nodes[last], nodes[from]];
    if (!node || !first || from === last) return;
    const keys = [path, path.slice(0, from + 1)].map((one) => this.known?.seen.find(one)?.key);
    if (keys[0] !== undefined && keys[1] !== undefined && keys[0] !== keys[1]) return;
    const names = nodes.slice(from).map(({ name }) => name);
    const begin = this.lines.linePos(this.places.get(first) ?? 0).line;
    const message = `${names.join(" -> ")} is a cycle, which begins in line ${begin} and ends here; what is behind ${node.name} here is not needed.`;
    this.note(node, "warning", message);
  }

  /** Keys are learnt when a map is built, and from signed results. */
  private compare(node: MapNode, path: readonly string[], { seen, isOwn }: KnownHosts): void {
    const identity = seen.find(path);
    const hop = path.slice(0, -1).join("/");
    if (path.length > 1 && !identity && !this.isBehindOriginal(path)) {
      const never = `${node.name} has never shown a key: nobody has found it behind ${hop}.`;
      // of one with hosts behind it here that is told as a cycle
      const itself = node.children.length === 0 ? behindItself(path) : undefined;
      this.note(node, "warning", itself ?? never);
    }
    const isHopGone = seen.find(path.slice(0, -1))?.goneSinceMs !== undefined;
    if (path.length > 1 && identity?.goneSinceMs !== undefined && !isHopGone) {
      const message = `${node.name} is no minion of ${hop} any more, as that told on ${utcTime(identity.goneSinceMs)}.`;
      this.note(node, "warning", message);
    }
    const behind = seen.seenBehind(path);
    if (isOwn || node.children.length === 0) this.missing(node, behind);
    if (node.children.length === 0 || behind.hosts > 0) return;
    const why =
      identity?.native === false
        ? "it is of the original, whose hosts show no keys, or has never answered"
        : "nobody has ever been found behind it";
    this.note(node, "warning", `${node.name} is not known to be a sub-overlord: ${why}.`);
  }

  /** A map may have been cut off, or edited by mistake. */
  private missing(node: MapNode, behind: SeenBehind): void {
    const here = new Set(node.children.map(({ name }) => nameKey(name)));
    const missing = behind.direct.filter((one) => !here.has(nameKey(one.path.at(-1) ?? "")));
    const hosts = behind.hosts === 1 ? "1 host was" : `${behind.hosts} hosts were`;
    const last = behind.atMs === undefined ? "" : `, last on ${utcTime(behind.atMs)}`;
    const names = this.namesOf(missing.map((one) => one.path));
    const count = countNodes(node.children);
    let message: string;
    if (count === 0 && behind.hosts > 0) {
      const which = names === "" ? "" : `: ${names}`;
      message = `${node.name} has nobody behind it here, where ${hosts} seen${last}${which}.`;
    } else if (missing.length > 0) {
      const all = behind.direct.length;
      message = `of the ${all} hosts that were seen directly behind ${node.name}${last}, ${missing.length} ${missing.length === 1 ? "is" : "are"} not in the map: ${names}.`;
    } else if (behind.direct.length === 0 && count < behind.hosts) {
      message = `${node.name} has ${count} behind it here, where ${hosts} seen${last}.`;
    } else return;
    this.note(node, "warning", message + wayOut(missing));
  }

  /** The first of them, each with how many were seen behind it. */
  private namesOf(paths: readonly (readonly string[])[]): string {
    const names = paths.slice(0, MAX_NAMES).map((path) => {
      const behind = this.known?.seen.seenBehind(path).hosts ?? 0;
      const hosts = behind === 1 ? "1 host" : `${behind} hosts`;
      return behind > 0 ? `${path.at(-1) ?? ""} (with ${hosts} behind it)` : (path.at(-1) ?? "");
    });
    if (paths.length > MAX_NAMES) names.push(`${paths.length - MAX_NAMES} more`);
    return names.join(", ");
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
