import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type YAMLMap } from "yaml";

/** Ends the reading of a file; `line` is from 1, or undefined for the file as a whole. */
export type YamlProblem = (line: number | undefined, what: string) => never;

/** The file that is read. */
interface Source {
  fail: (offset: number | undefined, what: string) => never;
  /** From 1; 0 where that is not known. */
  lineOf: (offset: number | undefined) => number;
}

/** One value of a file, with the place where it stands. */
export interface YamlValue {
  /** A map and a list are given as what they are: see `YamlMap.map` and `list`. */
  value: unknown;
  /** From 1. */
  line: number;
  fail: (what: string) => never;
}

/**
 * Reads YAML as data only: one document, no tags, no aliases, no key twice. Undefined where the file has
 * nothing but comments.
 */
export function parseYamlMap(
  text: string,
  known: readonly string[],
  problem: YamlProblem,
): YamlMap | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, strict: true });
  const fail: Source["fail"] = (offset, what) =>
    problem(offset === undefined ? undefined : lines.linePos(offset).line, what);
  const lineOf: Source["lineOf"] = (offset) =>
    offset === undefined ? 0 : lines.linePos(offset).line;
  const first = document.errors[0] ?? document.warnings[0];
  if (first) fail(first.pos[0], first.message.split("\n", 1)[0] ?? "is no YAML");
  const root: unknown = document.contents;
  if (root === null || (isScalar(root) && root.value === null)) return undefined;
  if (!isMap(root)) return fail(0, `has to be a map with ${known.join(", ")}`);
  return new YamlMap(root, known, { fail, lineOf });
}

/** Reads the keys of one map of a file, and refuses those it does not know. */
export class YamlMap {
  readonly #map: YAMLMap;
  readonly #source: Source;

  /** `known`: undefined where any text is a key. */
  constructor(map: YAMLMap, known: readonly string[] | undefined, source: Source) {
    this.#map = map;
    this.#source = source;
    for (const { key } of map.items) {
      const name: unknown = isScalar(key) ? key.value : undefined;
      if (known === undefined || (typeof name === "string" && known.includes(name))) continue;
      source.fail(offsetOf(key), `unknown key "${String(name)}"; known are ${known.join(", ")}`);
    }
  }

  /** The keys as they stand, with their values. */
  entries(): [key: unknown, value: YamlValue][] {
    return this.#map.items.map(({ key, value }) => [
      isScalar(key) ? key.value : undefined,
      this.#valueOf(value, offsetOf(value) ?? offsetOf(key)),
    ]);
  }

  text(key: string, valid: (value: string) => boolean, kind: string): string | undefined {
    const found = this.get(key);
    if (found === undefined) return undefined;
    if (typeof found.value === "string" && valid(found.value)) return found.value;
    return found.fail(`"${key}" has to be ${kind}`);
  }

  port(key: string): number | undefined {
    const found = this.get(key);
    if (found === undefined) return undefined;
    const { value } = found;
    if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 65_535) {
      return value;
    }
    return found.fail(`"${key}" has to be a port number from 0 to 65535`);
  }

  /** `known`: undefined where any text is a key. */
  map(key: string, known: readonly string[] | undefined): YamlMap | undefined {
    const node: unknown = this.#map.get(key, true);
    if (node === undefined) return undefined;
    if (isMap(node)) return new YamlMap(node, known, this.#source);
    const kind = known === undefined ? "a map" : `a map with ${known.join(" and ")}`;
    return this.#source.fail(offsetOf(node), `"${key}" has to be ${kind}`);
  }

  /** The values of a list; a single value is a list of one. */
  list(key: string): YamlValue[] | undefined {
    const node: unknown = this.#map.get(key, true);
    if (node === undefined) return undefined;
    if (!isSeq(node)) return [this.#valueOf(node, offsetOf(node))];
    return node.items.map((item) => this.#valueOf(item, offsetOf(item) ?? offsetOf(node)));
  }

  /** A list of maps. */
  maps(key: string, known: readonly string[]): YamlMap[] | undefined {
    const node: unknown = this.#map.get(key, true);
    if (node === undefined) return undefined;
    if (!isSeq(node)) return this.#source.fail(offsetOf(node), `"${key}" has to be a list`);
    return node.items.map((item) => {
      if (isMap(item)) return new YamlMap(item, known, this.#source);
      return this.#source.fail(offsetOf(item), `each of "${key}" has to be a map`);
    });
  }

  get(key: string): YamlValue | undefined {
    const node: unknown = this.#map.get(key, true);
    return node === undefined ? undefined : this.#valueOf(node, offsetOf(node));
  }

  /** Where it begins, from 1. */
  get line(): number {
    return this.#source.lineOf(offsetOf(this.#map));
  }

  /** Refuses the map itself. */
  fail(what: string): never {
    return this.#source.fail(offsetOf(this.#map), what);
  }

  #valueOf(node: unknown, offset: number | undefined): YamlValue {
    if (isAlias(node)) this.#source.fail(offset, "aliases are not allowed");
    const value: unknown = isScalar(node)
      ? node.value
      : isMap(node)
        ? new YamlMap(node, undefined, this.#source)
        : (node ?? undefined);
    const { fail, lineOf } = this.#source;
    return { value, line: lineOf(offset), fail: (what) => fail(offset, what) };
  }
}

function offsetOf(node: unknown): number | undefined {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node)
    ? node.range?.[0]
    : undefined;
}
