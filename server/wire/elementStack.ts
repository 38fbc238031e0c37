import { FuncError } from "../common/errors";
import type { DecodeLimits } from "./decode";
import { isXmlSpace } from "./xmlCharacters";

/** Longer than the text of any number, date or truth value that is read. */
const MAX_SCALAR_BYTES = 2_000;

const NAMES = [
  "methodCall", "methodResponse", "methodName", "params", "param", "fault", "value", "array", "data", "struct",
  "member", "name", "string", "base64", "int", "i4", "i8", "ex:i8", "boolean", "double", "dateTime.iso8601", "nil", "ex:nil",
] as const; // prettier-ignore
type Name = (typeof NAMES)[number];
type Root = "methodCall" | "methodResponse";

const TYPES: readonly Name[] = ["array", "struct", ...NAMES.slice(NAMES.indexOf("string"))];
/** What comes within what: a list for each place, in order. */
const PLACES: Readonly<Partial<Record<Name, readonly (readonly Name[])[]>>> = {
  methodCall: [["methodName"], ["params"]],
  methodResponse: [["params", "fault"]],
  param: [["value"]],
  fault: [["value"]],
  value: [TYPES],
  array: [["data"]],
  member: [["name"], ["value"]],
};
/** What comes within what any number of times. */
const LISTS: Readonly<Partial<Record<Name, Name>>> = {
  params: "param",
  data: "value",
  struct: "member",
};

const OUTSIDE = NAMES.length;
const MAX_PLACES = 4;
const ENCODED = NAMES.map((name) => Buffer.from(name));
const VALUE = NAMES.indexOf("value");
const PARAMS = NAMES.indexOf("params");
const MEMBER = NAMES.indexOf("member");
const ARRAY = NAMES.indexOf("array");
const STRUCT = NAMES.indexOf("struct");
const FIRST_SHORT = NAMES.indexOf("int");
/** By the length of the name, which leaves few to compare with. */
const BY_LENGTH = Array.from({ length: 17 }, (_, length) =>
  NAMES.flatMap((name, id) => (name.length === length ? [id] : [])),
);
const HAS_TEXT = new Uint8Array(
  [...NAMES.keys()].map((id) =>
    id === VALUE || id >= NAMES.indexOf("string") || NAMES[id]?.endsWith("ame") ? 1 : 0,
  ),
);
/** At (parent, place, child): the place after it, plus 1; 0 where it does not belong. */
const NEXT = nextPlaces();

/**
 * The elements that are open while a document comes in, and how many there were. Methods return what is
 * wrong, undefined where nothing is; beyond the limits they throw FuncError "too-large".
 */
export class ElementStack {
  readonly #ids: Uint8Array;
  readonly #places: Uint8Array;
  /** Index of the innermost open element; 0 stands for the document. */
  #top = 0;
  #depth = 0;
  #elements = 0;
  #shortBytes = 0;
  readonly #isCall: boolean;

  constructor(
    root: Root,
    private readonly limits: Pick<DecodeLimits, "maxDepth" | "maxElements">,
  ) {
    this.#isCall = root === "methodCall";
    // a value within a value is at most three elements deeper
    this.#ids = new Uint8Array(3 * limits.maxDepth + 8);
    this.#places = new Uint8Array(this.#ids.length);
    this.#ids[0] = OUTSIDE;
  }

  /** How many values and members there were. */
  get elements(): number {
    return this.#elements;
  }

  /** True before the root element and after it. */
  get isOutside(): boolean {
    return this.#top === 0;
  }

  /** True within a value, a name or a scalar. */
  get takesText(): boolean {
    return HAS_TEXT[this.#ids[this.#top] ?? OUTSIDE] === 1;
  }

  open(bytes: Buffer, from: number, to: number, empty: boolean): string | undefined {
    const id = idOf(bytes, from, to);
    const parent = this.#ids[this.#top] ?? OUTSIDE;
    const place = this.#places[this.#top] ?? 0;
    if (id < 0 || !this.#belongs(id, parent, place)) {
      const name = bytes.toString("latin1", from, Math.min(to, from + 40));
      const within = NAMES[parent];
      return within === undefined
        ? `no <${this.#isCall ? "methodCall" : "methodResponse"}> as the root element`
        : `<${name}> where it does not belong, in <${within}>`;
    }
    this.#places[this.#top] = parent === OUTSIDE ? 1 : (NEXT[index(parent, place, id)] ?? 1) - 1;
    if (id === VALUE || id === MEMBER) this.#count();
    if (id === ARRAY || id === STRUCT) this.#deeper();
    if (empty) return undefined;
    if (id === VALUE) this.#depth++;
    this.#top++;
    this.#ids[this.#top] = id;
    this.#places[this.#top] = 0;
    this.#shortBytes = 0;
    return undefined;
  }

  close(bytes: Buffer, from: number, to: number): string | undefined {
    const id = this.#ids[this.#top] ?? OUTSIDE;
    const name = ENCODED[id];
    if (!name || !isSame(name, bytes, from, to)) {
      return name ? `an end tag that does not match <${NAMES[id]}>` : "an end tag of nothing";
    }
    if (id === VALUE) this.#depth--;
    this.#top--;
    return undefined;
  }

  /** Text from `from` to `to`, without references. */
  text(bytes: Buffer, from: number, to: number): string | undefined {
    const id = this.#ids[this.#top] ?? OUTSIDE;
    const blank = !this.takesText;
    if (!blank && id < FIRST_SHORT) return undefined;
    for (let at = from; at < to; at++) {
      if (isXmlSpace(bytes[at] ?? 0)) continue;
      if (blank) return "text where only elements belong";
      if (++this.#shortBytes > MAX_SCALAR_BYTES) return `text that is no <${NAMES[id]}>`;
    }
    return undefined;
  }

  #belongs(id: number, parent: number, place: number): boolean {
    if (parent === OUTSIDE) return place === 0 && NAMES[id] === this.#root;
    if (parent === PARAMS && !this.#isCall && place > 0) return false; // an answer has one
    return NEXT[index(parent, place, id)] !== 0;
  }

  get #root(): Root {
    return this.#isCall ? "methodCall" : "methodResponse";
  }

  #count(): void {
    if (++this.#elements <= this.limits.maxElements) return;
    throw new FuncError(
      "too-large",
      `The document has more than ${this.limits.maxElements} values; no more are read.`,
    );
  }

  #deeper(): void {
    if (this.#depth < this.limits.maxDepth) return;
    throw new FuncError(
      "too-large",
      `The document nests values deeper than ${this.limits.maxDepth}; no deeper is read.`,
    );
  }
}

function nextPlaces(): Uint8Array {
  const next = new Uint8Array(NAMES.length * MAX_PLACES * NAMES.length);
  for (const [parent, name] of NAMES.entries()) {
    for (const [place, children] of (PLACES[name] ?? []).entries()) {
      for (const child of children) next[index(parent, place, NAMES.indexOf(child))] = place + 2;
    }
    const item = LISTS[name];
    if (item === undefined) continue;
    // whether there was one is all that counts
    for (const place of [0, 1]) next[index(parent, place, NAMES.indexOf(item))] = 2;
  }
  return next;
}

function index(parent: number, place: number, child: number): number {
  return (parent * MAX_PLACES + place) * NAMES.length + child;
}

function idOf(bytes: Buffer, from: number, to: number): number {
  for (const id of BY_LENGTH[to - from] ?? []) {
    const name = ENCODED[id];
    if (name && isSame(name, bytes, from, to)) return id;
  }
  return -1;
}

function isSame(name: Buffer, bytes: Buffer, from: number, to: number): boolean {
  if (to - from !== name.length) return false;
  for (let at = 0; at < name.length; at++) if (bytes[from + at] !== name[at]) return false;
  return true;
}
