import type { JsonValue } from "../protocol/value";
import { shownValue } from "./shownValue";

/**
 * `value` without the marks of XML-RPC types (protocol/value.ts): dates as their text, base64 as the
 * text it holds or, where that is no UTF-8, as base64; whole doubles and large integers as numbers
 * (integers beyond 2^53 as text, so that no digit is lost). Outputs stay as they are.
 */
export function plainJson(value: JsonValue): JsonValue {
  const shown = shownValue(value);
  switch (shown.kind) {
    case "scalar":
      return shown.value;
    case "bytes":
      return utf8OfBase64(shown.base64) ?? shown.base64;
    case "list":
      return shown.items.map(plainJson);
    case "struct":
      // fromEntries makes own properties also of "__proto__"
      return Object.fromEntries(
        Object.entries(shown.members).map(([key, item]) => [key, plainJson(item)]),
      );
    case "output":
      return value;
  }
}

/** The text that `base64` holds; undefined where it is no UTF-8. */
export function utf8OfBase64(base64: string): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      Buffer.from(base64, "base64"),
    );
  } catch {
    return undefined;
  }
}
