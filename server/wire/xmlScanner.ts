import { FuncError } from "../common/errors";
import { documentText } from "./documentText";
import { FORBIDDEN_CHARACTER, isBlank, isXmlSpace } from "./xmlCharacters";
import { resolveEntities } from "./xmlEntities";

const LESS_THAN = 0x3c;
const SLASH = 0x2f;
const GREATER_THAN = 0x3e;
const BANG = 0x21;
const AMPERSAND = 0x26;
const BRACKET = 0x5d;
const MAX_PLAIN = 64;
const MAX_SHOWN_NAME = 40;
/** What Apache's implementation writes on the root where it uses "ex:nil" and "ex:i8". */
const NAMESPACE =
  /[ \t\n]+xmlns(?::[A-Za-z][A-Za-z0-9]*)?[ \t\n]*=[ \t\n]*(?:"[^"<&]*"|'[^'<&]*')/y;

export interface StartTag {
  name: string;
  /** True for `<name/>`: no end tag follows. */
  empty: boolean;
}

/** `<name>`, made once for all documents. */
export function usualTag(name: string): StartTag {
  return { name, empty: false };
}

/**
 * Reads the subset of XML that XML-RPC needs, strictly and in one pass: elements without attributes,
 * text, comments and CDATA. A document type, processing instructions and entities of its own are refused.
 * All methods throw FuncError "bad-data" with line and offset.
 */
export class XmlScanner {
  readonly #text: string;
  #at: number;

  constructor(bytes: Uint8Array) {
    const { text, start } = documentText(bytes);
    this.#text = text;
    this.#at = start;
    const forbidden = text.search(FORBIDDEN_CHARACTER);
    if (forbidden >= 0) this.fail("a control character, which XML forbids", forbidden);
  }

  /** Skips white space and comments outside of the root element. */
  skipOutside(): void {
    for (;;) {
      this.#skipSpace();
      if (!this.#text.startsWith("<!--", this.#at)) return;
      this.#skipComment();
    }
  }

  /** Opens the root element, which may carry one namespace declaration. */
  openRoot(): StartTag {
    this.skipOutside();
    const name = this.#readOpenName();
    NAMESPACE.lastIndex = this.#at;
    if (NAMESPACE.test(this.#text)) this.#at = NAMESPACE.lastIndex;
    return { name, empty: this.#endOfStartTag(name) };
  }

  /** Skips blank text, then opens the next element; undefined where an end tag follows instead. */
  openChild(): StartTag | undefined {
    this.#skipBlankText();
    if (this.#text.charCodeAt(this.#at + 1) === SLASH) return undefined;
    const name = this.#readOpenName();
    return { name, empty: this.#endOfStartTag(name) };
  }

  /** Skips blank text, then opens the element of `usual`, which must follow. */
  openNamed(usual: StartTag): StartTag {
    const tag = this.openIfNamed(usual) ?? this.openChild();
    if (tag?.name !== usual.name) {
      return this.fail(
        `${tag ? `<${shown(tag.name)}>` : "an end tag"} where <${usual.name}> was expected`,
      );
    }
    return tag;
  }

  /**
   * Skips white space and opens an element where it follows and is written exactly as `usual`, which is
   * returned: a document of many elements is read without a new string and object for each.
   */
  openIfNamed(usual: StartTag): StartTag | undefined {
    this.#skipSpace();
    const { name } = usual;
    const end = this.#at + 1 + name.length;
    if (
      this.#text.charCodeAt(this.#at) !== LESS_THAN ||
      this.#text.charCodeAt(end) !== GREATER_THAN ||
      !this.#text.startsWith(name, this.#at + 1)
    ) {
      return undefined;
    }
    this.#at = end + 1;
    return usual;
  }

  /** Skips blank text, then reads the end tag of `tag` (nothing for `<name/>`). */
  close(tag: StartTag): void {
    if (tag.empty) return;
    this.#skipBlankText();
    this.#readEndTag(tag.name);
  }

  /** The text up to the end tag of `tag`, which is read as well. */
  textAndClose(tag: StartTag): string {
    if (tag.empty) return "";
    const text = this.text();
    this.#readEndTag(tag.name);
    return text;
  }

  /** The text up to the next tag: references resolved, CDATA taken in, comments left out. */
  text(): string {
    let text = "";
    for (;;) {
      const end = this.#text.indexOf("<", this.#at);
      if (end < 0) return this.fail("the document ends within an element", this.#text.length);
      if (end > this.#at) text += this.#characters(end);
      if (this.#text.charCodeAt(end + 1) !== BANG) return text;
      if (this.#text.startsWith("<!--", end)) this.#skipComment();
      else if (this.#text.startsWith("<![CDATA[", end)) text += this.#cdata();
      else return this.fail("a declaration (<!...), which is refused here");
    }
  }

  /** True where an end tag follows at once. */
  atEndTag(): boolean {
    return this.#text.charCodeAt(this.#at + 1) === SLASH;
  }

  /** Throws where anything but white space and comments is left. */
  end(): void {
    this.skipOutside();
    if (this.#at < this.#text.length) this.fail("something after the end of the document");
  }

  /** Throws FuncError "bad-data": `what` stands at `at` (default: here). */
  fail(what: string, at = this.#at): never {
    let line = 1;
    for (let next = this.#text.indexOf("\n"); next >= 0 && next < at; line++) {
      next = this.#text.indexOf("\n", next + 1);
    }
    throw new FuncError("bad-data", `Not XML-RPC: ${what} (line ${line}, character ${at}).`);
  }

  #characters(end: number): string {
    const from = this.#at;
    const raw = this.#text.slice(from, end);
    if (isPlain(raw)) {
      this.#at = end;
      return raw;
    }
    const close = raw.indexOf("]]>");
    if (close >= 0) return this.fail('"]]>" outside of CDATA', from + close);
    this.#at = end;
    return resolveEntities(raw, (what, at) => this.fail(what, from + at));
  }

  #cdata(): string {
    const from = this.#at + "<![CDATA[".length;
    const end = this.#text.indexOf("]]>", from);
    if (end < 0) return this.fail("CDATA without an end");
    this.#at = end + 3;
    return this.#text.slice(from, end);
  }

  #skipComment(): void {
    const end = this.#text.indexOf("--", this.#at + 4);
    if (end < 0 || this.#text.charCodeAt(end + 2) !== GREATER_THAN) {
      this.fail('a comment without an end, or with "--" in it');
    }
    this.#at = end + 3;
  }

  #skipSpace(): void {
    while (isXmlSpace(this.#text.charCodeAt(this.#at))) this.#at++;
  }

  #skipBlankText(): void {
    this.#skipSpace();
    if (
      this.#text.charCodeAt(this.#at) === LESS_THAN &&
      this.#text.charCodeAt(this.#at + 1) !== BANG
    ) {
      return; // the usual case
    }
    const from = this.#at;
    if (!isBlank(this.text())) this.fail("text where only elements belong", from);
  }

  #readOpenName(): string {
    if (this.#text.charCodeAt(this.#at) !== LESS_THAN) {
      return this.fail(
        this.#at >= this.#text.length
          ? "the document ends too early"
          : "text where an element belongs",
      );
    }
    const from = this.#at + 1;
    const to = this.#endOfName(from);
    if (to === from) return this.fail("a tag without a name, or an instruction or declaration");
    this.#at = to;
    return this.#text.slice(from, to);
  }

  /** Reads ">" or "/>"; true for the latter. */
  #endOfStartTag(name: string): boolean {
    this.#skipSpace();
    const empty = this.#text.charCodeAt(this.#at) === SLASH;
    if (empty) this.#at++;
    if (this.#text.charCodeAt(this.#at) !== GREATER_THAN) {
      this.fail(`a start tag <${shown(name)}> that is not closed, or has attributes`);
    }
    this.#at++;
    return empty;
  }

  #readEndTag(name: string): void {
    if (!this.#text.startsWith("</", this.#at)) {
      this.fail(`an element where the end of <${shown(name)}> was expected`);
    }
    const from = this.#at + 2;
    const usual = from + name.length;
    if (this.#text.charCodeAt(usual) === GREATER_THAN && this.#text.startsWith(name, from)) {
      this.#at = usual + 1;
      return;
    }
    const to = this.#endOfName(from);
    if (this.#text.slice(from, to) !== name) {
      this.fail(`an end tag that does not match <${shown(name)}>`);
    }
    this.#at = to;
    this.#skipSpace();
    if (this.#text.charCodeAt(this.#at) !== GREATER_THAN)
      this.fail("an end tag that is not closed");
    this.#at++;
  }

  #endOfName(from: number): number {
    let to = from;
    while (isNameCode(this.#text.charCodeAt(to))) to++;
    return to;
  }
}

/** Letters, digits, "." and ":" are all that names of XML-RPC's elements have. */
function isNameCode(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x3a) ||
    code === 0x2e
  );
}

/** True for a short text that needs no closer look: most texts are names and numbers. */
function isPlain(text: string): boolean {
  if (text.length > MAX_PLAIN) return false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === AMPERSAND || code === BRACKET) return false;
  }
  return true;
}

function shown(name: string): string {
  return name.length > MAX_SHOWN_NAME ? `${name.slice(0, MAX_SHOWN_NAME)}...` : name;
}
