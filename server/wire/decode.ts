import { FuncError } from "../common/errors";
import type { LiftedValue } from "./liftedRun";
import { SCALARS } from "./scalar";
import type { XmlRpcStruct, XmlRpcValue } from "./value";
import { XmlRpcSpooled } from "./value";
import { isBlank } from "./xmlCharacters";
import type { StartTag } from "./xmlScanner";
import { usualTag, XmlScanner } from "./xmlScanner";

/** What a document may cost. */
export interface DecodeLimits {
  /** Size of the document. */
  maxBytes: number;
  /** Values within values. */
  maxDepth: number;
  /** Values and members of structs, all together. */
  maxElements: number;
}

export const DEFAULT_LIMITS: DecodeLimits = {
  maxBytes: 256 * 1024 * 1024,
  maxDepth: 128,
  maxElements: 1_000_000,
};

export interface DecodedCall {
  method: string;
  params: XmlRpcValue[];
}

export type DecodedResponse = { value: XmlRpcValue } | { fault: { code: number; message: string } };

/** Names of methods: visible ASCII. What a name may mean is for the dispatcher to say. */
const METHOD_NAME = /^[\x21-\x7e]{1,512}$/;

/** Reads a `methodCall`. Throws FuncError "bad-data" (with line and offset) or "too-large". */
export function decodeCall(bytes: Uint8Array, limits: Partial<DecodeLimits> = {}): DecodedCall {
  return new Decoder(bytes, limits).call();
}

/**
 * Reads a `methodResponse`. Throws FuncError "bad-data" (with line and offset) or "too-large". `lifted`: what
 * BodyLifter took out of it, by the marker that stands there as a whole string, base64 or untyped value.
 */
export function decodeResponse(
  bytes: Uint8Array,
  limits: Partial<DecodeLimits> = {},
  lifted?: ReadonlyMap<string, LiftedValue>,
): DecodedResponse {
  return new Decoder(bytes, limits, lifted).response();
}

const PARAM = usualTag("param");
const VALUE = usualTag("value");
const STRING = usualTag("string");
const DATA = usualTag("data");
const MEMBER = usualTag("member");
const NAME = usualTag("name");

class Decoder {
  readonly #limits: DecodeLimits;
  readonly #xml: XmlScanner;
  #elements = 0;

  constructor(
    bytes: Uint8Array,
    limits: Partial<DecodeLimits>,
    private readonly lifted?: ReadonlyMap<string, LiftedValue>,
  ) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    const { maxBytes } = this.#limits;
    if (bytes.byteLength > maxBytes) {
      throw new FuncError(
        "too-large",
        `The document has ${bytes.byteLength} bytes; at most ${maxBytes} are read.`,
      );
    }
    this.#xml = new XmlScanner(bytes);
  }

  call(): DecodedCall {
    const root = this.#root("methodCall");
    const name = this.#xml.openNamed(usualTag("methodName"));
    const method = this.#xml.textAndClose(name);
    if (!METHOD_NAME.test(method)) this.#xml.fail("a method name that is none");
    const params: XmlRpcValue[] = [];
    const list = this.#xml.openChild();
    if (list) {
      if (list.name !== "params") this.#xml.fail("something else than <params> after <methodName>");
      for (let param = this.#child(list, PARAM); param; param = this.#child(list, PARAM)) {
        params.push(this.#valueWithin(param));
      }
      this.#xml.close(list);
    }
    this.#xml.close(root);
    this.#xml.end();
    return { method, params };
  }

  response(): DecodedResponse {
    const root = this.#root("methodResponse");
    const body = this.#xml.openChild();
    let answer: DecodedResponse;
    if (body?.name === "params") {
      if (body.empty) this.#xml.fail("an answer without a value");
      answer = { value: this.#valueWithin(this.#xml.openNamed(PARAM)) };
      this.#xml.close(body);
    } else if (body?.name === "fault") {
      answer = { fault: this.#fault(this.#valueWithin(body)) };
    } else {
      return this.#xml.fail("an answer with neither <params> nor <fault>");
    }
    this.#xml.close(root);
    this.#xml.end();
    return answer;
  }

  #root(name: string): StartTag {
    const tag = this.#xml.openRoot();
    if (tag.name !== name || tag.empty) this.#xml.fail(`no <${name}> as the root element`);
    return tag;
  }

  #fault(value: XmlRpcValue): { code: number; message: string } {
    if (isStruct(value)) {
      const { faultCode, faultString } = value;
      if (typeof faultCode === "number") {
        if (typeof faultString === "string") return { code: faultCode, message: faultString };
        if (faultString instanceof XmlRpcSpooled) {
          return { code: faultCode, message: faultString.head };
        }
        if (faultString instanceof Uint8Array) {
          return { code: faultCode, message: Buffer.from(faultString).toString("utf8") };
        }
      }
    }
    return this.#xml.fail("a fault without faultCode and faultString");
  }

  /** Opens the next element within `parent`, all of which must be as `usual`; undefined after the last. */
  #child(parent: StartTag, usual: StartTag): StartTag | undefined {
    if (parent.empty) return undefined;
    const tag = this.#xml.openIfNamed(usual) ?? this.#xml.openChild();
    if (tag && tag.name !== usual.name) {
      return this.#xml.fail(`something else than <${usual.name}> in <${parent.name}>`);
    }
    return tag;
  }

  /** The one `<value>` within `parent`, whose end is read as well. */
  #valueWithin(parent: StartTag): XmlRpcValue {
    if (parent.empty) return this.#xml.fail(`<${parent.name}> without a <value>`);
    const value = this.#value(this.#xml.openNamed(VALUE), 1);
    this.#xml.close(parent);
    return value;
  }

  #value(tag: StartTag, depth: number): XmlRpcValue {
    this.#count();
    if (tag.empty) return "";
    const text = this.#xml.text();
    if (this.#xml.atEndTag()) {
      this.#xml.close(tag);
      return this.lifted?.get(text) ?? text; // text without a type is a string
    }
    if (!isBlank(text)) this.#xml.fail("both text and an element in <value>");
    const type = this.#xml.openIfNamed(STRING) ?? this.#xml.openChild();
    const value = type
      ? this.#typed(type, depth)
      : this.#xml.fail("a <value> whose type is missing");
    this.#xml.close(tag);
    return value;
  }

  #typed(type: StartTag, depth: number): XmlRpcValue {
    if (type === STRING) {
      const text = this.#xml.textAndClose(type);
      return this.lifted?.get(text) ?? text;
    }
    if (type.name === "array") return this.#array(type, depth);
    if (type.name === "struct") return this.#struct(type, depth);
    const parse = SCALARS.get(type.name);
    if (!parse) return this.#xml.fail(`the unknown type <${type.name.slice(0, 40)}>`);
    const text = this.#xml.textAndClose(type);
    const value = this.lifted?.get(text) ?? parse(text);
    return value === undefined ? this.#xml.fail(`text that is no <${type.name}>`) : value;
  }

  #array(type: StartTag, depth: number): XmlRpcValue[] {
    this.#deeper(depth);
    if (type.empty) return this.#xml.fail("<array> without <data>");
    const data = this.#xml.openNamed(DATA);
    const items: XmlRpcValue[] = [];
    for (let tag = this.#child(data, VALUE); tag; tag = this.#child(data, VALUE)) {
      items.push(this.#value(tag, depth + 1));
    }
    this.#xml.close(data);
    this.#xml.close(type);
    return items;
  }

  #struct(type: StartTag, depth: number): XmlRpcStruct {
    this.#deeper(depth);
    // no prototype: a member may be called "__proto__" or "constructor"
    const struct = Object.create(null) as XmlRpcStruct;
    for (let member = this.#child(type, MEMBER); member; member = this.#child(type, MEMBER)) {
      this.#count();
      if (member.empty) this.#xml.fail("<member> without a <name>");
      const name = this.#xml.textAndClose(this.#xml.openNamed(NAME));
      struct[name] = this.#value(this.#xml.openNamed(VALUE), depth + 1);
      this.#xml.close(member);
    }
    this.#xml.close(type);
    return struct;
  }

  #count(): void {
    if (++this.#elements > this.#limits.maxElements) {
      throw new FuncError(
        "too-large",
        `The document has more than ${this.#limits.maxElements} values; no more are read.`,
      );
    }
  }

  #deeper(depth: number): void {
    if (depth >= this.#limits.maxDepth) {
      throw new FuncError(
        "too-large",
        `The document nests values deeper than ${this.#limits.maxDepth}; no deeper is read.`,
      );
    }
  }
}

function isStruct(value: XmlRpcValue): value is XmlRpcStruct {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === null;
}
