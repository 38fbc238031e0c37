import { FuncError } from "../../common/errors";
import { outputRefOf } from "../../protocol/outputs";
import type { JsonValue } from "../../protocol/value";
import type { OutputReader } from "../outputs";
import { Output } from "./output";

/**
 * What a minion gives back. Text of more than 64 KiB comes as an `Output` (`textOf` reads any of the three kinds of
 * text), integers beyond 2^53 as bigint, base64 as bytes, a dateTime as its text ("20260131T12:00:00", of no time zone).
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Output
  | Value[]
  | { [key: string]: Value };

/** What a method can be given. A Date travels as a dateTime in UTC, bytes as base64, whole numbers as integers. */
export type Argument =
  | null
  | boolean
  | number
  | bigint
  | string
  | Date
  | Uint8Array
  | readonly Argument[]
  | { readonly [key: string]: Argument };

/** Deeper values are refused: the wire takes none. */
const MAX_DEPTH = 100;

/** `value` as it travels to the overlord. Throws FuncError "bad-argument" that names `place`. */
export function toJson(value: unknown, place: string, depth = 0): JsonValue {
  if (depth > MAX_DEPTH) throw wrong(place, "nests too deep");
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      if (!Number.isFinite(value)) throw wrong(place, `is ${String(value)}, which no minion takes`);
      return value;
    case "bigint":
      return { $int: String(value) };
    case "object":
      return value === null ? null : objectToJson(value, place, depth);
    default:
      throw wrong(place, `is of the type ${typeof value}, which no minion takes`);
  }
}

function objectToJson(value: object, place: string, depth: number): JsonValue {
  if (Array.isArray(value)) {
    return value.map((item: unknown, at) => toJson(item, `${place}[${at}]`, depth + 1));
  }
  if (value instanceof Uint8Array) return { $base64: Buffer.from(value).toString("base64") };
  if (value instanceof Date) return { $dateTime: dateTimeOf(value, place) };
  const members = Object.entries(value).map(
    ([key, member]) => [key, toJson(member, `${place}.${key}`, depth + 1)] as const,
  );
  const json: JsonValue = Object.fromEntries(members);
  const [first] = members;
  // it would be taken for the mark of a type
  return members.length === 1 && first?.[0].startsWith("$") ? { $struct: json } : json;
}

function dateTimeOf(date: Date, place: string): string {
  if (Number.isNaN(date.getTime())) throw wrong(place, "is no valid date");
  return date.toISOString().slice(0, 19).replaceAll("-", "");
}

function wrong(place: string, problem: string): FuncError {
  return new FuncError("bad-argument", `${place} ${problem}.`);
}

/** A value as it came from the overlord, its marks of XML-RPC types (protocol/value.ts) resolved. */
export function fromJson(json: JsonValue, reader: OutputReader): Value {
  if (json === null || typeof json !== "object") return json;
  if (Array.isArray(json)) return json.map((item) => fromJson(item, reader));
  const entries = Object.entries(json);
  const [first] = entries;
  if (entries.length === 1 && first?.[0].startsWith("$")) {
    const marked = fromMarked(first[0], first[1], reader);
    if (marked !== undefined) return marked;
  }
  return structOf(entries, reader);
}

function fromMarked(mark: string, inner: JsonValue, reader: OutputReader): Value | undefined {
  switch (mark) {
    case "$base64":
      return typeof inner === "string" ? Buffer.from(inner, "base64") : undefined;
    case "$int":
      return typeof inner === "string" && /^-?\d+$/.test(inner) ? BigInt(inner) : undefined;
    case "$double":
      return typeof inner === "number" ? inner : undefined;
    case "$dateTime":
      return typeof inner === "string" ? inner : undefined;
    case "$struct":
      return typeof inner === "object" && inner !== null && !Array.isArray(inner)
        ? structOf(Object.entries(inner), reader)
        : undefined;
    case "$output": {
      const ref = outputRefOf({ $output: inner });
      return ref && Output.of(ref, reader);
    }
    default:
      return undefined;
  }
}

function structOf(entries: [string, JsonValue][], reader: OutputReader): Value {
  // fromEntries makes own properties also of "__proto__"
  return Object.fromEntries(entries.map(([key, member]) => [key, fromJson(member, reader)]));
}

/**
 * The text of a value that is text, whichever way it came: a string, bytes (as UTF-8) or an `Output`. Throws
 * FuncError "bad-argument" for any other, "too-large" as `Output.text` does.
 */
export async function textOf(value: Value): Promise<string> {
  if (typeof value === "string") return value;
  if (value instanceof Output) return value.text();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("utf8");
  throw new FuncError("bad-argument", "The value is neither text nor bytes.");
}
