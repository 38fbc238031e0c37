import { FuncError } from "../common/errors";
import type { JsonValue } from "../protocol/value";
import { DEFAULT_LIMITS } from "./decode";
import { DATE_TIME } from "./scalar";
import type { XmlRpcStruct, XmlRpcValue } from "./value";
import { XmlRpcDateTime, XmlRpcDouble, XmlRpcSpooled } from "./value";

type JsonObject = Record<string, JsonValue>;

/** A value of XML-RPC as JSON, in the forms of protocol/value.ts. */
export function toJson(value: XmlRpcValue): JsonValue {
  switch (typeof value) {
    case "bigint":
      return { $int: value.toString() };
    case "number":
      // JSON would make it the integer 0; it travels as a double
      return Object.is(value, -0) ? { $double: value } : value;
    case "object":
      return value === null ? null : objectToJson(value);
    default:
      return value;
  }
}

/** The value that `toJson` made, or a user wrote. Throws FuncError "bad-argument" on malformed "$" forms. */
export function fromJson(value: JsonValue): XmlRpcValue {
  return parse(value, 1);
}

function objectToJson(value: Exclude<XmlRpcValue & object, null>): JsonValue {
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return { $base64: bytes.toString("base64") };
  }
  if (value instanceof XmlRpcDouble) return { $double: value.value };
  if (value instanceof XmlRpcDateTime) return { $dateTime: value.iso8601 };
  if (value instanceof XmlRpcSpooled) {
    const { sha256, bytes, kind, head } = value;
    return { $output: { sha256, bytes, kind, head } };
  }
  if (Array.isArray(value)) return value.map(toJson);
  const object = Object.create(null) as JsonObject;
  for (const [name, member] of Object.entries(value)) object[name] = toJson(member);
  return formKey(object) === undefined ? object : { $struct: object };
}

/** The name of a "$" form: the only key, where it starts with "$". */
function formKey(object: JsonObject): string | undefined {
  const keys = Object.keys(object);
  return keys.length === 1 && keys[0]?.startsWith("$") ? keys[0] : undefined;
}

function parse(value: JsonValue, depth: number): XmlRpcValue {
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new FuncError("bad-argument", "A number is too large for a double.");
  }
  if (typeof value !== "object" || value === null) return value;
  if (depth >= DEFAULT_LIMITS.maxDepth) {
    throw new FuncError("bad-argument", `Values nest deeper than ${DEFAULT_LIMITS.maxDepth}.`);
  }
  if (Array.isArray(value)) return value.map((item) => parse(item, depth + 1));
  const form = formKey(value);
  return form === undefined ? struct(value, depth) : parseForm(form, value[form], depth);
}

function struct(object: JsonObject, depth: number): XmlRpcStruct {
  const result = Object.create(null) as XmlRpcStruct;
  for (const [name, member] of Object.entries(object)) result[name] = parse(member, depth + 1);
  return result;
}

function parseForm(form: string, content: JsonValue | undefined, depth: number): XmlRpcValue {
  switch (form) {
    case "$base64":
      if (typeof content === "string" && isBase64(content)) {
        return new Uint8Array(Buffer.from(content, "base64"));
      }
      break;
    case "$dateTime":
      if (typeof content === "string" && DATE_TIME.test(content)) {
        return new XmlRpcDateTime(content);
      }
      break;
    case "$int":
      if (typeof content === "string" && /^-?[0-9]{1,19}$/.test(content)) return integer(content);
      break;
    case "$double":
      if (typeof content === "number") return doubleOf(content);
      break;
    case "$struct":
      if (typeof content === "object" && content !== null && !Array.isArray(content)) {
        return struct(content, depth);
      }
      break;
  }
  throw new FuncError(
    "bad-argument",
    `{"${form.slice(0, 40)}": ...} is not a form of value that is known here, or its content is malformed.`,
    'Write a struct whose only member starts with "$" as {"$struct": {...}}.',
  );
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

function integer(text: string): number | bigint {
  const value = BigInt(text);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function doubleOf(value: number): number | XmlRpcDouble {
  return Number.isInteger(value) ? new XmlRpcDouble(value) : value;
}
