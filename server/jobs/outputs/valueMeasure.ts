import { outputRefOf, type OutputRef } from "../../protocol/outputs";
import type { JsonValue } from "../../protocol/value";

/** About what a part of a value takes in memory beside its text. */
const PART_BYTES = 32;
/** JSON of an output without its head. */
export const OUTPUT_JSON_BYTES = 150;

/** A text, or base64, inside a value that is large by itself. */
export interface LargeText {
  kind: "text" | "bytes";
  text: string;
}

export interface ValueMeasure {
  /** At most the length of its JSON: escapes are not counted. */
  jsonLength: number;
  /** About what it takes in memory. */
  memoryBytes: number;
  outputs: OutputRef[];
  large: LargeText[];
}

export interface MeasureLimits {
  /** Texts from this length on are listed as large. */
  largeLength: number;
  /** To which heads of outputs will be cut. */
  headLength: number;
}

/** Measures a value without making its JSON. */
export function measureValue(value: JsonValue, limits: MeasureLimits): ValueMeasure {
  const measure: ValueMeasure = { jsonLength: 0, memoryBytes: 0, outputs: [], large: [] };
  add(value, measure, limits);
  return measure;
}

/**
 * The value with every output, and every text from `largeLength` on, replaced. "$struct" holds what the
 * minion sent as it is, so that no minion can forge an output.
 */
export function replaceLarge(
  value: JsonValue,
  largeLength: number,
  replace: (part: OutputRef | LargeText) => JsonValue,
): JsonValue {
  if (typeof value === "string") {
    return value.length >= largeLength ? replace({ kind: "text", text: value }) : value;
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => replaceLarge(item, largeLength, replace));
  const output = outputRefOf(value);
  if (output) return replace(output);
  const base64 = base64Of(value);
  if (base64 !== undefined) {
    return base64.length >= largeLength ? replace({ kind: "bytes", text: base64 }) : value;
  }
  const inner = structOf(value);
  const members = mapMembers(inner ?? value, (member) =>
    replaceLarge(member, largeLength, replace),
  );
  return inner ? { $struct: members } : members;
}

function add(value: JsonValue, measure: ValueMeasure, limits: MeasureLimits): void {
  measure.memoryBytes += PART_BYTES;
  if (typeof value === "string") {
    addText(value.length, measure);
    if (value.length >= limits.largeLength) measure.large.push({ kind: "text", text: value });
  } else if (typeof value !== "object" || value === null) {
    measure.jsonLength += 1;
  } else if (Array.isArray(value)) {
    measure.jsonLength += value.length + 1;
    for (const item of value) add(item, measure, limits);
  } else {
    addObject(value, measure, limits);
  }
}

function addObject(
  value: { [name: string]: JsonValue },
  measure: ValueMeasure,
  limits: MeasureLimits,
): void {
  const output = outputRefOf(value);
  if (output) {
    measure.outputs.push(output);
    const bytes = OUTPUT_JSON_BYTES + Math.min(output.head.length, limits.headLength);
    measure.jsonLength += bytes;
    measure.memoryBytes += bytes;
    return;
  }
  const base64 = base64Of(value);
  if (base64 !== undefined) {
    addText(base64.length, measure);
    if (base64.length >= limits.largeLength) measure.large.push({ kind: "bytes", text: base64 });
    return;
  }
  const members = structOf(value) ?? value;
  measure.jsonLength += 1;
  for (const name in members) {
    addText(name.length + 2, measure);
    const member = members[name];
    if (member !== undefined) add(member, measure, limits);
  }
}

function addText(length: number, measure: ValueMeasure): void {
  measure.jsonLength += length + 2;
  measure.memoryBytes += length;
}

/** Base64 where the value is that form. */
export function base64Of(value: { [name: string]: JsonValue }): string | undefined {
  const { $base64: base64 } = value;
  return typeof base64 === "string" && Object.keys(value).length === 1 ? base64 : undefined;
}

/** The struct in `{"$struct": ...}`, whose members look like a form and are none. */
export function structOf(value: {
  [name: string]: JsonValue;
}): { [name: string]: JsonValue } | undefined {
  const { $struct: inner } = value;
  if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return undefined;
  return Object.keys(value).length === 1 ? inner : undefined;
}

function mapMembers(
  members: { [name: string]: JsonValue },
  map: (member: JsonValue) => JsonValue,
): { [name: string]: JsonValue } {
  const mapped = Object.create(null) as { [name: string]: JsonValue };
  for (const [name, member] of Object.entries(members)) mapped[name] = map(member);
  return mapped;
}
