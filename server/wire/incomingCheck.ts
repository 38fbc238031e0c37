import { FuncError } from "../common/errors";
import type { DecodeLimits } from "./decode";
import { IncomingCharacters } from "./incomingCharacters";
import { ElementStack } from "./elementStack";
import { isXmlCharacter, isXmlSpace } from "./xmlCharacters";

const LESS_THAN = 0x3c;
const GREATER_THAN = 0x3e;
const SLASH = 0x2f;
const AMPERSAND = 0x26;
const SEMICOLON = 0x3b;
/** So far a loop is faster than asking for the next place of a byte. */
const NEAR_BYTES = 24;
/** A tag or a reference that is longer than this is refused, and not kept until it is whole. */
const MAX_TOKEN_BYTES = 4_096;
const REFERENCE = /^&(?:#x0*([0-9a-fA-F]{1,6})|#0*([0-9]{1,7})|(?:amp|lt|gt|quot|apos));$/;
/** A tag as the decoder takes it: a name and white space, on the root also one namespace declaration. */
const TAG =
  /^<(\/?)([A-Za-z0-9.:]+)(?:[ \t\r\n]+xmlns(?::[A-Za-z][A-Za-z0-9]*)?[ \t\r\n]*=[ \t\r\n]*(?:"[^"<&]*"|'[^'<&]*'))?[ \t\r\n]*(\/?)>$/;
const OPEN_QUOTE = /^[^"'=]*=[ \t\r\n]*(?:"[^"]*|'[^']*)$/;
const MARKUP = ["<!--", "<![CDATA["] as const;

type Mode = "content" | "comment" | "cdata";

/**
 * Judges an XML-RPC document while it comes in, so that a hostile one is refused at its first offending byte
 * and not when it is whole. It looks at what costs or what cannot be right any more: characters, encoding,
 * declarations, references, the order and depth of elements, their number. What it accepts the decoder may
 * still refuse; what it refuses the decoder would have refused as well, except for tags and references of more than 4 KiB.
 * All that it has accepted consists of characters that XML allows, in the encoding that the document names.
 */
export class IncomingCheck {
  readonly #characters = new IncomingCharacters();
  readonly #elements: ElementStack;
  #mode: Mode = "content";
  /** A token that the last piece cut in two. */
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes before what is looked at now. */
  #offset = 0;

  constructor(
    root: "methodCall" | "methodResponse",
    limits: Pick<DecodeLimits, "maxDepth" | "maxElements">,
  ) {
    this.#elements = new ElementStack(root, limits);
  }

  /** How many values and members have come. */
  get elements(): number {
    return this.#elements.elements;
  }

  /**
   * Takes the next piece of the document, of any size; keeps at most 4 KiB of it. Throws FuncError "bad-data"
   * or "too-large"; after that the check is of no more use.
   */
  accept(piece: Buffer): void {
    const content = this.#characters.accept(piece);
    if (content.length === 0) return;
    const bytes = this.#rest.length === 0 ? content : Buffer.concat([this.#rest, content]);
    const done = this.#scan(bytes);
    this.#offset += done;
    // a copy: the piece may be part of a large one that would stay with it
    this.#rest = done === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(done));
    if (this.#rest.length > MAX_TOKEN_BYTES) this.#fail("a tag or reference that does not end", 0);
  }

  /** Returns where the first token begins that is not whole yet. */
  #scan(bytes: Buffer): number {
    let at = 0;
    let reference = find(bytes, AMPERSAND, 0);
    while (at < bytes.length) {
      if (this.#mode !== "content") {
        const end = this.#skipMarkup(bytes, at);
        if (end < 0) return Math.max(at, bytes.length - 2); // "--" or "]]" may be its end
        at = end;
        if (reference < at) reference = find(bytes, AMPERSAND, at);
        continue;
      }
      const tag = find(bytes, LESS_THAN, at);
      this.#text(bytes, at, Math.min(tag, reference));
      while (reference < tag) {
        const end = this.#reference(bytes, reference);
        if (end < 0) return reference;
        reference = find(bytes, AMPERSAND, end);
        this.#text(bytes, end, Math.min(tag, reference));
      }
      if (tag === bytes.length) return tag;
      at = this.#tag(bytes, tag);
      if (at < 0) return tag;
    }
    return at;
  }

  #text(bytes: Buffer, from: number, to: number): void {
    if (from === to) return;
    const wrong = this.#elements.text(bytes, from, to);
    if (wrong !== undefined) this.#fail(wrong, from);
  }

  /** Returns the end of the tag, or -1 where it is not whole yet. */
  #tag(bytes: Buffer, from: number): number {
    const second = bytes[from + 1];
    if (second === undefined) return -1;
    if (second === 0x21) return this.#startMarkup(bytes, from);
    // the usual case first: a name, and nothing else
    let to = second === SLASH ? from + 2 : from + 1;
    const nameFrom = to;
    while (to < bytes.length && isNameCode(bytes[to] ?? 0)) to++;
    const isEnd = second === SLASH;
    const isEmpty = !isEnd && bytes[to] === SLASH;
    const end = isEmpty ? to + 1 : to;
    if (to > nameFrom && bytes[end] === GREATER_THAN) {
      const wrong = isEnd
        ? this.#elements.close(bytes, nameFrom, to)
        : this.#elements.open(bytes, nameFrom, to, isEmpty);
      if (wrong !== undefined) this.#fail(wrong, from);
      return end + 1;
    }
    if (to === nameFrom && to < bytes.length) {
      this.#fail("a tag without a name, or an instruction or declaration", from);
    }
    return this.#longTag(bytes, from);
  }

  #longTag(bytes: Buffer, from: number): number {
    let end = find(bytes, GREATER_THAN, from);
    while (end < bytes.length && OPEN_QUOTE.test(bytes.toString("latin1", from, end))) {
      end = find(bytes, GREATER_THAN, end + 1);
    }
    if (end === bytes.length) return -1;
    const match = TAG.exec(bytes.toString("latin1", from, end + 1));
    const [, slash, name = "", empty] = match ?? [];
    const hasAttribute = bytes.subarray(from, end).includes("=");
    if (!match || (slash === "/" && empty === "/") || (hasAttribute && !this.#elements.isOutside)) {
      return this.#fail("a tag that is not closed, or has attributes", from);
    }
    const encoded = Buffer.from(name);
    const wrong =
      slash === "/"
        ? this.#elements.close(encoded, 0, encoded.length)
        : this.#elements.open(encoded, 0, encoded.length, empty === "/");
    if (wrong !== undefined) this.#fail(wrong, from);
    return end + 1;
  }

  #startMarkup(bytes: Buffer, from: number): number {
    const head = bytes.toString("latin1", from, from + 9);
    const [comment, cdata] = MARKUP;
    if (head.startsWith(comment)) {
      this.#mode = "comment";
      return from + comment.length;
    }
    if (head === cdata && !this.#elements.isOutside) {
      this.#mode = "cdata";
      return from + cdata.length;
    }
    if (comment.startsWith(head) || (cdata.startsWith(head) && head !== cdata)) return -1;
    return this.#fail("a declaration (<!...), which is refused here", from);
  }

  /** Returns the end of the comment or CDATA, or -1 where it has not come yet. */
  #skipMarkup(bytes: Buffer, from: number): number {
    const mark = this.#mode === "comment" ? "--" : "]]>";
    const end = bytes.indexOf(mark, from, "latin1");
    const to = end < 0 ? Math.max(from, bytes.length - 2) : end;
    if (this.#mode === "cdata") this.#text(bytes, from, to);
    if (end < 0) return -1;
    if (this.#mode === "comment") {
      if (end + 2 >= bytes.length) return -1;
      if (bytes[end + 2] !== GREATER_THAN) this.#fail('a comment with "--" in it', end);
    }
    this.#mode = "content";
    return end + 3;
  }

  /** Returns the end of the reference, or -1 where it is not whole yet. */
  #reference(bytes: Buffer, from: number): number {
    if (isCommonEntity(bytes, from) && this.#elements.takesText) {
      return from + (bytes[from + 1] === 0x61 ? 5 : 4);
    }
    const limit = Math.min(bytes.length, from + MAX_TOKEN_BYTES);
    let to = from + 1;
    while (to < limit && isReferenceCode(bytes[to] ?? 0)) to++;
    if (to === bytes.length) return -1;
    if (bytes[to] !== SEMICOLON) {
      return this.#fail("an entity that is not one of the five of XML", from);
    }
    const match = REFERENCE.exec(bytes.toString("latin1", from, to + 1));
    if (!match) return this.#fail("an entity that is not one of the five of XML", from);
    const [, hex, decimal] = match;
    const code = hex !== undefined ? parseInt(hex, 16) : Number(decimal ?? AMPERSAND);
    if (!isXmlCharacter(code)) this.#fail("a reference to a character that XML forbids", from);
    if (this.#elements.isOutside || (!this.#elements.takesText && !isXmlSpace(code))) {
      this.#fail("a reference where only elements belong", from);
    }
    return to + 1;
  }

  #fail(what: string, at: number): never {
    throw new FuncError("bad-data", `Not XML-RPC: ${what} (byte ${this.#offset + at}).`);
  }
}

/** The next place of `byte`, or the end. */
function find(bytes: Buffer, byte: number, from: number): number {
  const near = Math.min(bytes.length, from + NEAR_BYTES);
  for (let at = from; at < near; at++) if (bytes[at] === byte) return at;
  if (near === bytes.length) return near;
  const far = bytes.indexOf(byte, near);
  return far < 0 ? bytes.length : far;
}

/** `&lt;`, `&gt;` or `&amp;`, which texts are full of. */
function isCommonEntity(bytes: Buffer, from: number): boolean {
  const first = bytes[from + 1];
  if (first === 0x61) {
    return bytes[from + 2] === 0x6d && bytes[from + 3] === 0x70 && bytes[from + 4] === SEMICOLON;
  }
  if (first !== 0x6c && first !== 0x67) return false;
  return bytes[from + 2] === 0x74 && bytes[from + 3] === SEMICOLON;
}

function isNameCode(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x3a) ||
    code === 0x2e
  );
}

function isReferenceCode(code: number): boolean {
  return code === 0x23 || (isNameCode(code) && code !== 0x3a && code !== 0x2e);
}
