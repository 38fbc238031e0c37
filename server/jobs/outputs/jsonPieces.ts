import type { JsonValue } from "../../protocol/value";
import { textSlices } from "./textSlices";

const PIECE_CHARACTERS = 65_536;
/** Values of fewer parts than this go to JSON.stringify. */
const SMALL_PARTS = 500;
const SMALL_TEXT = 4_096;

/** The text of JSON.stringify(value) in pieces of about 64 KiB, so that it is never in memory as a whole. */
export function* jsonPieces(value: JsonValue): Generator<string> {
  let piece = "";
  for (const part of parts(value)) {
    piece += part;
    if (piece.length < PIECE_CHARACTERS) continue;
    yield piece;
    piece = "";
  }
  if (piece !== "") yield piece;
}

function* parts(value: JsonValue): Generator<string> {
  if (isSmall(value)) {
    yield JSON.stringify(value);
  } else if (typeof value === "string") {
    yield '"';
    for (const slice of textSlices(value)) yield JSON.stringify(slice).slice(1, -1);
    yield '"';
  } else if (Array.isArray(value)) {
    let before = "[";
    for (const item of value) {
      yield before;
      yield* parts(item);
      before = ",";
    }
    yield before === "[" ? "[]" : "]";
  } else if (typeof value === "object" && value !== null) {
    let before = "{";
    for (const [name, member] of Object.entries(value)) {
      yield before;
      yield* parts(name);
      yield ":";
      yield* parts(member);
      before = ",";
    }
    yield before === "{" ? "{}" : "}";
  }
}

function isSmall(value: JsonValue): boolean {
  return left(value, SMALL_PARTS) > 0;
}

/** What remains of `budget` parts after this value's; at most 0 where it has more or a long text. */
function left(value: JsonValue, budget: number): number {
  if (typeof value === "string") return value.length > SMALL_TEXT ? 0 : budget - 1;
  if (typeof value !== "object" || value === null) return budget - 1;
  let rest = budget - 1;
  if (Array.isArray(value)) {
    if (value.length >= rest) return 0;
    for (const item of value) {
      rest = left(item, rest);
      if (rest <= 0) return 0;
    }
    return rest;
  }
  for (const name in value) {
    const member = value[name];
    rest = name.length > SMALL_TEXT || member === undefined ? 0 : left(member, rest - 1);
    if (rest <= 0) return 0;
  }
  return rest;
}
