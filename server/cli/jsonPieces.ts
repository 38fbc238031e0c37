import type { JsonValue } from "../protocol/value";
import type { Piece } from "./pieces";
import { plainJson } from "./plainJson";
import { hasOutput, shownValue } from "./shownValue";

/**
 * `value` as JSON in which outputs are strings; as `plainJson` makes it, unless `typed` keeps the marks of
 * XML-RPC types.
 */
export function* jsonPieces(value: JsonValue, typed: boolean): Generator<Piece, void, undefined> {
  if (!hasOutput(value)) {
    yield JSON.stringify(typed ? value : plainJson(value));
    return;
  }
  const shown = shownValue(value);
  if (shown.kind === "output") {
    yield { kind: "json", ref: shown.ref, typed };
  } else if (shown.kind === "list") {
    yield* joined("[", shown.items, "]", (item) => jsonPieces(item, typed));
  } else if (shown.kind === "struct") {
    const literal = typed && shown.members !== value;
    if (literal) yield '{"$struct":';
    yield* joined("{", Object.entries(shown.members), "}", ([name, item]) =>
      memberPieces(name, item, typed),
    );
    if (literal) yield "}";
  }
}

function* memberPieces(name: string, item: JsonValue, typed: boolean): Generator<Piece> {
  yield `${JSON.stringify(name)}:`;
  yield* jsonPieces(item, typed);
}

function* joined<T>(
  open: string,
  items: readonly T[],
  close: string,
  piecesOf: (item: T) => Iterable<Piece>,
): Generator<Piece> {
  yield open;
  let comma = false;
  for (const item of items) {
    if (comma) yield ",";
    comma = true;
    yield* piecesOf(item);
  }
  yield close;
}
