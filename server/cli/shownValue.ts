import { outputRefOf, type OutputRef } from "../protocol/outputs";
import type { JsonValue } from "../protocol/value";

/** What a value is, its marks of XML-RPC types (protocol/value.ts) understood. */
export type ShownValue =
  | { kind: "scalar"; value: null | boolean | number | string }
  | { kind: "bytes"; base64: string }
  | { kind: "output"; ref: OutputRef }
  | { kind: "list"; items: JsonValue[] }
  | { kind: "struct"; members: Record<string, JsonValue> };

/**
 * `value` without the mark of its own type: dates as their text, whole doubles and large integers as
 * numbers (integers beyond 2^53 as text, so that no digit is lost). What is inside still has its marks.
 */
export function shownValue(value: JsonValue): ShownValue {
  if (value === null || typeof value !== "object") return { kind: "scalar", value };
  if (Array.isArray(value)) return { kind: "list", items: value };
  const keys = Object.keys(value);
  const key = keys[0];
  const inner = key === undefined ? undefined : value[key];
  if (keys.length === 1 && key !== undefined && inner !== undefined && key.startsWith("$")) {
    return marked(key, inner) ?? { kind: "struct", members: value };
  }
  return { kind: "struct", members: value };
}

function marked(key: string, inner: JsonValue): ShownValue | undefined {
  switch (key) {
    case "$base64":
      return typeof inner === "string" ? { kind: "bytes", base64: inner } : undefined;
    case "$dateTime":
    case "$int":
    case "$double":
      return inner === null || typeof inner !== "object"
        ? { kind: "scalar", value: inner }
        : undefined;
    case "$struct":
      return inner !== null && typeof inner === "object" && !Array.isArray(inner)
        ? { kind: "struct", members: inner }
        : undefined;
    case "$output": {
      const ref = outputRefOf({ $output: inner });
      return ref && { kind: "output", ref };
    }
    default:
      return undefined;
  }
}

/** True where an output stands anywhere in `value`. */
export function hasOutput(value: JsonValue): boolean {
  const shown = shownValue(value);
  switch (shown.kind) {
    case "output":
      return true;
    case "list":
      return shown.items.some(hasOutput);
    case "struct":
      return Object.values(shown.members).some(hasOutput);
    default:
      return false;
  }
}
