import type { MinionResult } from "../../server/protocol/jobs";
import { resultParts, type ResultPart, type ResultReader } from "../results/resultParts";
import { jsonText } from "./jsonText";
import { sourceText } from "./sourceText";

export type ExportFormat = "json" | "csv" | "text";

/** What is exported, and how it is read. */
export interface ExportContext {
  reader: ResultReader;
  /** Whether the results are those of command.run. */
  isCommand: boolean;
  signal: AbortSignal;
}

type Texts = AsyncGenerator<string, void, undefined>;

/** The whole results as the text of a file, piece by piece: nothing is cut. Throws FuncError. */
export function exportText(
  format: ExportFormat,
  results: AsyncIterable<MinionResult>,
  context: ExportContext,
): Texts {
  switch (format) {
    case "json":
      return jsonFile(results, context);
    case "csv":
      return csvFile(results, context);
    case "text":
      return textFile(results, context);
  }
}

/** An array of one object per minion; see MinionResult. */
async function* jsonFile(
  results: AsyncIterable<MinionResult>,
  { reader, signal }: ExportContext,
): Texts {
  let before = "[\n";
  for await (const { minion, state, exitStatus, durationMs, value, error } of results) {
    const head = JSON.stringify({ minion, state, exitStatus, durationMs, error });
    yield before + head.slice(0, -1);
    if (value !== undefined) {
      yield ',"value":';
      yield* jsonText(reader, value, signal);
    }
    yield "}";
    before = ",\n";
  }
  yield before === "[\n" ? "[]\n" : "\n]\n";
}

const COLUMNS = ["minion", "state", "exit status", "seconds", "result", "stderr", "problem"];

/**
 * What a spreadsheet would take for a formula and run: hosts' outputs must not do that to the operator.
 * An apostrophe before it makes it text. Plain numbers are left alone.
 */
const FORMULA = /^(?![+-]?\d+(?:\.\d+)?\s*$)[=+\-@\t\r]/;

/** As RFC 4180 has it: one line per minion, every text quoted. */
async function* csvFile(results: AsyncIterable<MinionResult>, context: ExportContext): Texts {
  yield `${COLUMNS.map(quoted).join(",")}\r\n`;
  for await (const result of results) {
    const { minion, state, durationMs } = result;
    const parts = await resultParts(context.reader, result, context.isCommand);
    const status = parts.find(({ key }) => key === "exitStatus");
    const seconds = durationMs === undefined ? "" : (durationMs / 1_000).toFixed(3);
    yield `${quoted(minion)},${quoted(state)},`;
    if (status) yield* sourceText(status.source, context.signal);
    yield `,${seconds}`;
    for (const keys of [["stdout", "value"], ["stderr"], ["problem", "nextStep", "trace"]]) {
      yield ",";
      yield* csvField(
        parts.filter((part) => keys.includes(part.key)),
        context.signal,
      );
    }
    yield "\r\n";
  }
}

async function* csvField(parts: readonly ResultPart[], signal: AbortSignal): Texts {
  let before = '"';
  for (const part of parts) {
    yield before;
    let first = before === '"';
    for await (const text of sourceText(part.source, signal)) {
      if (text === "") continue;
      if (first && FORMULA.test(text)) yield "'";
      first = false;
      yield text.replaceAll('"', '""');
    }
    before = "\n";
  }
  if (before === "\n") yield '"';
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/** For people: each minion's results below a line with its name. */
async function* textFile(results: AsyncIterable<MinionResult>, context: ExportContext): Texts {
  for await (const result of results) {
    yield `===== ${result.minion}: ${result.state} =====\n`;
    for (const part of await resultParts(context.reader, result, context.isCommand)) {
      yield part.verbatim ? `--- ${part.title}\n` : `${part.title}: `;
      let last = "";
      for await (const text of sourceText(part.source, context.signal)) {
        yield text;
        last = text === "" ? last : text;
      }
      if (!last.endsWith("\n")) yield "\n";
    }
    yield "\n";
  }
}
