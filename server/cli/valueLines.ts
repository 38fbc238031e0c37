import type { OutputRef } from "../protocol/outputs";
import type { JsonValue } from "../protocol/value";
import { bytesText } from "./bytesText";
import type { Piece } from "./pieces";
import { utf8OfBase64 } from "./plainJson";
import { shownValue } from "./shownValue";

const INDENT = "    ";

/** A line for people, or a large output that is lines of its own. */
export interface ValueLine {
  /** In front of the (first) line: "- ", "  " ... */
  first: string;
  /** In front of the other lines of an output. */
  rest: string;
  body: string | OutputRef | Buffer;
}

/** A value as lines: strings as they are, lists with "- ", structs with "key: ". */
export function* valueLines(value: JsonValue): Generator<ValueLine, void, undefined> {
  const shown = shownValue(value);
  switch (shown.kind) {
    case "scalar":
      yield* scalarLines(String(shown.value));
      return;
    case "bytes":
      yield* scalarLines(
        utf8OfBase64(shown.base64) ?? bytesText(Buffer.from(shown.base64, "base64")),
      );
      return;
    case "output":
      yield { first: "", rest: "", body: shown.ref };
      return;
    case "list":
      if (shown.items.length === 0) yield line("[]");
      for (const item of shown.items) yield* behind("- ", valueLines(item));
      return;
    case "struct": {
      const entries = Object.entries(shown.members);
      if (entries.length === 0) yield line("{}");
      for (const [key, item] of entries) yield* keyed(key.replace(/\n/g, "\\n"), item);
      return;
    }
  }
}

/** What the two outputs of a command hold: as lines; bytes that are no text as they are. */
export function* outputLines(value: JsonValue): Generator<ValueLine, void, undefined> {
  const shown = shownValue(value);
  if (shown.kind === "output") {
    yield { first: "", rest: "", body: shown.ref };
  } else if (shown.kind === "bytes") {
    const text = utf8OfBase64(shown.base64);
    if (text !== undefined) yield* textLines(text);
    else yield { first: "", rest: "", body: Buffer.from(shown.base64, "base64") };
  } else if (shown.kind === "scalar") {
    yield* textLines(String(shown.value));
  }
}

/** The line that is all of `value`, or undefined where it takes a block. */
export function onlyLine(value: JsonValue): string | undefined {
  const lines = valueLines(value);
  const first = lines.next();
  if (first.done || typeof first.value.body !== "string" || !lines.next().done) return undefined;
  return first.value.first + first.value.body;
}

/** Lines below a heading, each ended with a newline. */
export function* block(lines: Iterable<ValueLine>, exact = false): Generator<Piece> {
  for (const { first, rest, body } of lines) {
    if (typeof body === "string") {
      const text = first + body;
      yield text === "" ? "\n" : `${INDENT}${text}\n`;
    } else {
      yield {
        kind: "lines",
        source: body,
        first: INDENT + first,
        rest: INDENT + rest,
        bareWhereEmpty: rest === "",
        exact,
      };
    }
  }
}

function* scalarLines(text: string): Generator<ValueLine, void, undefined> {
  if (text === "") yield line('""');
  else yield* textLines(text);
}

function* textLines(text: string): Generator<ValueLine, void, undefined> {
  if (text === "") return;
  for (const part of text.replace(/\n$/, "").split("\n")) yield line(part);
}

function line(body: string): ValueLine {
  return { first: "", rest: "", body };
}

function* behind(mark: string, lines: Iterable<ValueLine>): Generator<ValueLine, void, undefined> {
  let front = mark;
  for (const { first, rest, body } of lines) {
    yield { first: front + first, rest: `  ${rest}`, body };
    front = "  ";
  }
}

function* keyed(key: string, item: JsonValue): Generator<ValueLine, void, undefined> {
  const only = isContainer(item) ? undefined : onlyLine(item);
  if (only !== undefined) {
    yield line(`${key}: ${only}`);
  } else {
    yield line(`${key}:`);
    yield* behind("  ", valueLines(item));
  }
}

function isContainer(value: JsonValue): boolean {
  const shown = shownValue(value);
  if (shown.kind === "list") return shown.items.length > 0;
  return shown.kind === "struct" && Object.keys(shown.members).length > 0;
}
