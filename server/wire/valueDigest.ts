import { createHash, hash } from "node:crypto";
import { outputRefOf } from "../protocol/outputs";
import type { JsonValue } from "../protocol/value";
import { toJson } from "./jsonValue";
import { REMOTE_ERROR, asRemoteError } from "./remoteError";
import type { XmlRpcValue } from "./value";

/** Deeper than any value that is decoded. */
const MAX_DEPTH = 300;
const FORMAT = "func-value 1\n";
/** What a long text is hashed by at a time. */
const SLICE_CHARACTERS = 1024 * 1024;
/** Longer ones are cut on their way, never to less than this. */
const ERROR_TEXT_CHARACTERS = 500;

/** What an exception tells, see `remoteError.ts`. */
interface ErrorTexts {
  type: string;
  message: string;
  trace: string;
}

/**
 * base64 SHA-256 of a value, for signatures: the same at the host that answers with it and wherever it is known as
 * JSON, whatever of it has become an `$output` on the way. What is hashed ("func-value 1", a line feed, and the form
 * of the value):
 *
 *     n;  b0;  b1;            nil, false, true
 *     iN;  dX;                an integer; a double as JavaScript writes it, a negative zero as 0
 *     TS;                     dateTime.iso8601, as written
 *     tHASH;                  text (its UTF-8) or bytes: hex SHA-256; a text that XML cannot carry travels as bytes
 *     aHASH;                  array: of the forms of its items
 *     sHASH;                  struct: of `NAME FORM` of its members, NAME being JSON, in the order of their names
 *
 * An exception (the REMOTE_ERROR array) counts by `digestOfError`.
 */
export function digestOfValue(value: XmlRpcValue): string {
  const error = asRemoteError(value);
  const digest = error ? digestOfError(error) : digestOfJson(toJson(value));
  if (digest === undefined) throw new RangeError("values nest too deep to be signed");
  return digest;
}

/**
 * As `digestOfValue`, of the same value as JSON. Undefined where it cannot be told: where it is an output of the
 * kind "json" (a whole value in a file: parse that, and ask about what it holds), or no value that `toJson` makes.
 */
export function digestOfJson(value: JsonValue): string | undefined {
  const form = formOf(value, 1);
  return form === undefined ? undefined : digestOfForm(form);
}

/**
 * As `digestOfValue`, of an exception. Of a message, and of a trace, its first 500 characters count: more may be cut
 * off where it is kept.
 */
export function digestOfError({ type, message, trace }: ErrorTexts): string {
  const texts = [REMOTE_ERROR, type, beginning(message), beginning(trace)];
  return digestOfForm(containerForm("a", texts.map(textForm)));
}

function beginning(text: string): string {
  return text.slice(0, ERROR_TEXT_CHARACTERS);
}

function digestOfForm(form: string): string {
  return hash("sha256", FORMAT + form, "base64");
}

function formOf(value: JsonValue | undefined, depth: number): string | undefined {
  if (value === undefined || depth > MAX_DEPTH) return undefined;
  switch (typeof value) {
    case "string":
      return textForm(value);
    case "number":
      return isInteger(value) ? `i${value};` : doubleForm(value);
    case "boolean":
      return value ? "b1;" : "b0;";
    default:
      if (value === null) return "n;";
      return Array.isArray(value) ? arrayForm(value, depth) : objectForm(value, depth);
  }
}

function isInteger(value: number): boolean {
  return Number.isSafeInteger(value) && !Object.is(value, -0);
}

/** String(-0) is "0". */
function doubleForm(value: number): string {
  return `d${value};`;
}

function textForm(text: string): string {
  if (text.length <= SLICE_CHARACTERS) return `t${hash("sha256", text, "hex")};`;
  const whole = createHash("sha256");
  for (let at = 0; at < text.length;) {
    let end = at + SLICE_CHARACTERS;
    const last = text.charCodeAt(end - 1);
    if (end < text.length && last >= 0xd800 && last < 0xdc00) end--;
    whole.update(text.slice(at, end), "utf8");
    at = end;
  }
  return `t${whole.digest("hex")};`;
}

function arrayForm(items: readonly JsonValue[], depth: number): string | undefined {
  const forms: string[] = [];
  for (const item of items) {
    const form = formOf(item, depth + 1);
    if (form === undefined) return undefined;
    forms.push(form);
  }
  return containerForm("a", forms);
}

function containerForm(kind: "a" | "s", forms: readonly string[]): string {
  const whole = createHash("sha256");
  for (const form of forms) whole.update(form);
  return `${kind}${whole.digest("hex")};`;
}

type JsonObject = Record<string, JsonValue>;

function objectForm(object: JsonObject, depth: number): string | undefined {
  const keys = Object.keys(object);
  const [key] = keys;
  if (keys.length !== 1 || !key?.startsWith("$")) return structForm(object, depth);
  const content = object[key];
  switch (key) {
    case "$base64":
      return typeof content === "string" ? bytesForm(Buffer.from(content, "base64")) : undefined;
    case "$dateTime":
      return typeof content === "string" && /^[-+:.0-9TZ]{1,50}$/.test(content)
        ? `T${content};`
        : undefined;
    case "$int":
      return typeof content === "string" && /^-?[0-9]{1,19}$/.test(content)
        ? `i${BigInt(content)};`
        : undefined;
    case "$double":
      return typeof content === "number" ? doubleForm(content) : undefined;
    case "$struct":
      return typeof content === "object" && content !== null && !Array.isArray(content)
        ? structForm(content, depth)
        : undefined;
    case "$output": {
      const output = outputRefOf(object);
      const isHash = output?.kind !== "json" && /^[0-9a-f]{64}$/.test(output?.sha256 ?? "");
      return output && isHash ? `t${output.sha256};` : undefined;
    }
    default:
      return undefined;
  }
}

function bytesForm(bytes: Uint8Array): string {
  return `t${hash("sha256", bytes, "hex")};`;
}

function structForm(members: JsonObject, depth: number): string | undefined {
  const forms: string[] = [];
  for (const name of Object.keys(members).sort()) {
    const form = formOf(members[name], depth + 1);
    if (form === undefined) return undefined;
    forms.push(`${JSON.stringify(name)} ${form}`);
  }
  return containerForm("s", forms);
}
