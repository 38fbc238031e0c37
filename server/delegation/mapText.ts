import { isAlias, isMap, isScalar, LineCounter, parseDocument, type Node, type Pair } from "yaml";
import { FuncError } from "../common/errors";
import { MAX_MAP_DEPTH, MAX_MAP_NODES, nameKey, type MapNode } from "./delegationMap";

/** About a hundred bytes for each of the most nodes. */
const MAX_TEXT_LENGTH = 100_000_000;
const MAX_NAME_LENGTH = 253;
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
  const lines = new LineCounter();
  const document = parseYaml(text, file, lines);
  const first = document.errors[0] ?? document.warnings[0];
  const reader = new MapReader(file, lines);
  if (first) reader.fail(first.pos[0], problemOf(first.message));
  return reader.read(document.contents);
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

function parseYaml(text: string, file: string, lineCounter: LineCounter) {
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
    throw new FuncError("bad-data", `${file}: ${TOO_DEEP}`, NEXT_STEP);
  }
}

const TOO_DEEP = `a host behind more than ${MAX_MAP_DEPTH} others cannot be right.`;
const NEXT_STEP = "Correct the file, or build the map anew: func build-map.";

class MapReader {
  private nodes = 0;

  constructor(
    private readonly file: string,
    private readonly lines: LineCounter,
  ) {}

  read(contents: unknown): MapNode[] {
    if (contents === null) return [];
    return this.children(contents, 0, 1);
  }

  fail(offset: number, what: string): never {
    const { line, col } = this.lines.linePos(offset);
    const place = line > 0 ? `${this.file}:${line}:${col}` : this.file;
    throw new FuncError("bad-data", `${place}: ${what}`, NEXT_STEP);
  }

  /** `at`: where the value would stand, for what is not there. */
  private children(value: unknown, at: number, depth: number): MapNode[] {
    const offset = offsetOf(value) ?? at;
    if (isAlias(value)) this.fail(offset, "an alias (*) is not read here.");
    if (!isMap(value))
      this.fail(offset, "there has to be a mapping: {} for a host without minions.");
    this.refuseTag(value, offset);
    if (value.items.length === 0) return [];
    if (depth > MAX_MAP_DEPTH) {
      this.fail(offset, TOO_DEEP);
    }
    const seen = new Set<string>();
    return value.items.map((pair) => {
      const name = this.nameOf(pair, offset);
      const key = nameKey(name);
      if (seen.has(key)) {
        this.fail(offsetOf(pair.key) ?? offset, `"${name}" stands twice at the same place.`);
      }
      seen.add(key);
      this.nodes++;
      if (this.nodes > MAX_MAP_NODES) {
        this.fail(offset, `there are more than ${MAX_MAP_NODES} entries.`);
      }
      const children = this.children(pair.value, offsetOf(pair.key) ?? offset, depth + 1);
      return { name, children };
    });
  }

  private nameOf({ key }: Pair, offset: number): string {
    const at = offsetOf(key) ?? offset;
    if (!isScalar(key) || typeof key.value !== "string") {
      return this.fail(at, "the name of a host has to be text.");
    }
    this.refuseTag(key, at);
    const name = key.value.trim();
    if (name === "") return this.fail(at, "the name of a host is missing.");
    if (name.length > MAX_NAME_LENGTH || UNPRINTABLE.test(name)) {
      return this.fail(at, "this cannot be the name of a host.");
    }
    return name;
  }

  private refuseTag(node: Node, at: number): void {
    if (node.tag !== undefined && !STANDARD_TAGS.has(node.tag)) {
      this.fail(at, "a tag (!) is not read here.");
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
  return message.split("\n", 1)[0] ?? message;
}

/** Last name first, since the end of the list is taken first. */
function sorted(nodes: readonly MapNode[]): MapNode[] {
  return [...nodes].sort((a, b) => (a.name < b.name ? 1 : -1));
}

function nameText(name: string): string {
  return PLAIN_NAME.test(name) && !NOT_PLAIN.test(name) ? name : JSON.stringify(name);
}
