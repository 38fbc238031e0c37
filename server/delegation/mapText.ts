import { isAlias, isMap, isScalar, LineCounter, parseDocument, type Node, type Pair } from "yaml";
import { FuncError } from "../common/errors";
import { MAX_MAP_DEPTH, MAX_MAP_NODES, nameKey, type MapNode } from "./delegationMap";
import { readPlainMap } from "./plainMap";

/** About a hundred bytes for each of the most nodes. */
const MAX_TEXT_LENGTH = 100_000_000;
const MAX_NAME_LENGTH = 253;
/** What is quoted of the text in a problem may be all of it. */
const MAX_PROBLEM = 200;
const INDENT = "    ";
/** A name that YAML reads as nothing else, written as it is. */
const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
const NOT_PLAIN = /^(?:y|n|yes|no|on|off|true|false|null)$/i;
const UNPRINTABLE = /\p{Cc}/u;

/**
 * Reads a map as the original writes it: one YAML document of nested mappings, a host without minions being
 * `{}`. Data only: no tags, no aliases. Throws FuncError "bad-data" with file, line and column, "too-large".
 */
export function parseMap(text: string, file: string): MapNode[] {
  if (text.length > MAX_TEXT_LENGTH) {
    throw new FuncError("too-large", `${file} is larger than ${MAX_TEXT_LENGTH} bytes.`);
  }
  const { nodes, problems } = readMap(text, 1);
  const [first] = problems;
  if (!first) return nodes;
  const { line, column, message } = first;
  const place = line > 0 ? `${file}:${line}:${column}` : file;
  throw new FuncError("bad-data", `${place}: ${message}`, NEXT_STEP);
}

/** Something in a map's text. */
export interface MapTextProblem {
  /** From 1; 0 where there is no place. */
  line: number;
  column: number;
  /** How many characters it is about, from there. */
  length: number;
  message: string;
}

/** Where the name of each host stands, as offsets into the text. */
export type MapPlaces = Map<MapNode, number>;

/** All of a map that can be read, and what is wrong with the rest: at most `maxProblems`. Fills `places`. */
export function readMap(
  text: string,
  maxProblems: number,
  places?: MapPlaces,
  lines = new LineCounter(),
): { nodes: MapNode[]; problems: MapTextProblem[] } {
  const plain = readPlainMap(text, places, lines);
  if (plain) return { nodes: plain, problems: [] };
  const reader = new MapReader(lines, maxProblems, places);
  const document = parseYaml(text, lines);
  if (!document) {
    return { nodes: [], problems: [{ line: 0, column: 0, length: 0, message: TOO_DEEP }] };
  }
  for (const { pos, message } of [...document.errors, ...document.warnings]) {
    reader.note(pos[0], problemOf(message), pos[1] - pos[0]);
  }
  const { problems } = reader;
  return { nodes: problems.length > 0 ? [] : reader.read(document.contents), problems };
}

/** The map as the original writes it: sorted by name, four spaces a tier. */
export function formatMap(map: readonly MapNode[]): string {
  if (map.length === 0) return "---\n{}\n";
  const lines = ["---"];
  const rest = sorted(map).map((node) => ({ node, indent: "" }));
  for (let item = rest.pop(); item; item = rest.pop()) {
    const { node, indent } = item;
    const leaf = node.children.length === 0;
    lines.push(`${indent}${nameText(node.name)}:${leaf ? " {}" : ""}`);
    for (const child of sorted(node.children)) {
      rest.push({ node: child, indent: indent + INDENT });
    }
  }
  return `${lines.join("\n")}\n`;
}

/** Undefined where it nests so deep that the library gives up. */
function parseYaml(text: string, lineCounter: LineCounter) {
  try {
    // the reader below looks for equal keys itself: without case, and in one pass
    return parseDocument(text, {
      lineCounter,
      prettyErrors: false,
      uniqueKeys: false,
      schema: "failsafe",
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return undefined;
  }
}

const TOO_DEEP = `a host behind more than ${MAX_MAP_DEPTH} others cannot be right.`;
const EMPTY =
  "the map names no host: it is empty, or was cut off. The map of an overlord without minions is {}.";
const NEXT_STEP = "Correct the file, or build the map anew: func build-map.";

class MapReader {
  readonly problems: MapTextProblem[] = [];
  private nodes = 0;

  constructor(
    private readonly lines: LineCounter,
    private readonly maxProblems: number,
    private readonly places: MapPlaces | undefined,
  ) {}

  read(contents: unknown): MapNode[] {
    return contents === null ? this.skip(0, EMPTY) : this.children(contents, 0, 1);
  }

  note(offset: number, message: string, length = 1): void {
    if (this.problems.length >= this.maxProblems) return;
    const { line, col: column } = this.lines.linePos(offset);
    this.problems.push({ line, column, length: Math.max(1, length), message });
  }

  /** `at`: where the value would stand, for what is not there. */
  private children(value: unknown, at: number, depth: number): MapNode[] {
    const offset = offsetOf(value) ?? at;
    if (isAlias(value)) return this.skip(offset, "an alias (*) is not read here.");
    if (!isMap(value)) {
      return this.skip(offset, "there has to be a mapping: {} for a host without minions.");
    }
    this.refuseTag(value, offset);
    if (value.items.length === 0) return [];
    if (depth > MAX_MAP_DEPTH) return this.skip(offset, TOO_DEEP);
    const seen = new Set<string>();
    const nodes: MapNode[] = [];
    for (const pair of value.items) {
      if (this.problems.length >= this.maxProblems) break;
      const node = this.child(pair, offset, depth, seen);
      if (node) nodes.push(node);
    }
    return nodes;
  }

  private child(pair: Pair, offset: number, depth: number, seen: Set<string>): MapNode | undefined {
    const at = offsetOf(pair.key) ?? offset;
    const name = this.nameOf(pair, at);
    if (name === undefined) return undefined;
    const key = nameKey(name);
    if (seen.has(key)) this.note(at, `"${name}" stands twice at the same place.`, name.length);
    seen.add(key);
    this.nodes++;
    if (this.nodes > MAX_MAP_NODES) {
      this.note(at, `there are more than ${MAX_MAP_NODES} entries.`);
      return undefined;
    }
    const node = { name, children: this.children(pair.value, at, depth + 1) };
    this.places?.set(node, at);
    return node;
  }

  private nameOf({ key }: Pair, at: number): string | undefined {
    if (!isScalar(key) || typeof key.value !== "string") {
      this.note(at, "the name of a host has to be text.");
      return undefined;
    }
    this.refuseTag(key, at);
    const name = key.value.trim();
    if (name === "") {
      this.note(at, "the name of a host is missing.");
      return undefined;
    }
    if (name.length > MAX_NAME_LENGTH || UNPRINTABLE.test(name)) {
      this.note(at, "this cannot be the name of a host.", name.length);
      return undefined;
    }
    return name;
  }

  private skip(offset: number, message: string): MapNode[] {
    this.note(offset, message);
    return [];
  }

  private refuseTag(node: Node, at: number): void {
    if (node.tag !== undefined && !STANDARD_TAGS.has(node.tag)) {
      this.note(at, "a tag (!) is not read here.");
    }
  }
}

const STANDARD_TAGS = new Set(["tag:yaml.org,2002:map", "tag:yaml.org,2002:str"]);

function offsetOf(node: unknown): number | undefined {
  if (typeof node !== "object" || node === null || !("range" in node)) return undefined;
  const { range } = node;
  const start: unknown = Array.isArray(range) ? range[0] : undefined;
  return typeof start === "number" ? start : undefined;
}

/** What the YAML library says, in one line; very deep nesting ends it within. */
function problemOf(message: string): string {
  if (message.includes("call stack")) return TOO_DEEP;
  const [line = ""] = message.split("\n", 1);
  const shown = line.length > MAX_PROBLEM ? `${line.slice(0, MAX_PROBLEM)}...` : line;
  return shown.replace(/\p{Cc}/gu, "\uFFFD");
}

/** Last name first, since the end of the list is taken first. */
function sorted(nodes: readonly MapNode[]): MapNode[] {
  return [...nodes].sort((a, b) => (a.name < b.name ? 1 : -1));
}

function nameText(name: string): string {
  return PLAIN_NAME.test(name) && !NOT_PLAIN.test(name) ? name : JSON.stringify(name);
}
