import type { JsonValue } from "./value";

/** The most that one `outputs/read` answers. */
export const MAX_OUTPUT_READ_BYTES = 1024 * 1024;

/**
 * An output that is too large to travel in a message. It stands in a value as `{"$output": OutputRef}`
 * and is read by range with `outputs/read`.
 */
export interface OutputRef {
  /** Hex SHA-256 of the bytes, by which they are kept: equal outputs are kept once. */
  sha256: string;
  bytes: number;
  /** "text" is UTF-8; "bytes" was base64 on the wire; "json" is a whole value as JSON. */
  kind: "text" | "bytes" | "json";
  /** How it begins, at most 4,000 characters; of bytes that are no text, nothing. */
  head: string;
}

/** The output that `value` stands for; undefined where it is an ordinary value. */
export function outputRefOf(value: JsonValue | undefined): OutputRef | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  if (Object.keys(value).length !== 1) return undefined;
  const { $output: ref } = value;
  if (typeof ref !== "object" || ref === null || Array.isArray(ref)) return undefined;
  const { sha256, bytes, kind, head } = ref;
  if (typeof sha256 !== "string" || typeof bytes !== "number" || typeof head !== "string") {
    return undefined;
  }
  return kind === "text" || kind === "bytes" || kind === "json"
    ? { sha256, bytes, kind, head }
    : undefined;
}

/** One minion whose result contains what was searched for. */
export interface SearchMatch {
  minion: string;
  /** The first line that contains it, cut around the match to at most 200 characters. */
  line: string;
}
