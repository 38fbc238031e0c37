import type { JsonValue } from "../protocol/value";

/**
 * `value` without the marks of XML-RPC types (protocol/value.ts): dates as their text, base64 as the
 * text it holds or, where that is no UTF-8, as base64; whole doubles and large integers as numbers
 * (integers beyond 2^53 as text, so that no digit is lost).
 */
export function plainJson(value: JsonValue): JsonValue {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(plainJson);
  const keys = Object.keys(value);
  const key = keys[0];
  const inner = key === undefined ? undefined : value[key];
  if (keys.length === 1 && key !== undefined && inner !== undefined && key.startsWith("$")) {
    return plainMarked(key, inner) ?? plainStruct(value);
  }
  return plainStruct(value);
}

function plainMarked(key: string, inner: JsonValue): JsonValue | undefined {
  switch (key) {
    case "$base64":
      return typeof inner === "string" ? textOfBase64(inner) : undefined;
    case "$dateTime":
    case "$int":
      return inner;
    case "$double":
      return inner;
    case "$struct":
      return inner !== null && typeof inner === "object" && !Array.isArray(inner)
        ? plainStruct(inner)
        : undefined;
    default:
      return undefined;
  }
}

function plainStruct(struct: Record<string, JsonValue>): JsonValue {
  // fromEntries makes own properties also of "__proto__"
  return Object.fromEntries(Object.entries(struct).map(([key, item]) => [key, plainJson(item)]));
}

function textOfBase64(base64: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      Buffer.from(base64, "base64"),
    );
  } catch {
    return base64;
  }
}
