import type { OverlordConnection } from "../../server/client/connection";
import { expandJson } from "../../server/client/outputs";
import type { CallError, MinionResult } from "../../server/protocol/jobs";
import { outputRefOf, type OutputRef } from "../../server/protocol/outputs";
import { adviceOf } from "../../server/protocol/resultAdvice";
import type { JsonValue } from "../../server/protocol/value";
import { outputSource, textSource, bufferSource, type ByteSource } from "./byteSource";
import { formatBytes } from "./formatBytes";
import { plainProblem } from "./plainProblem";

/** What results are read with: the session, or a connection. */
export type ResultReader = Pick<OverlordConnection, "request">;

/** One titled part of a minion's result. */
export interface ResultPart {
  /** Names it among the parts of this result: "stdout", "stderr", "exitStatus", "value", "output1", "problem" ... */
  key: string;
  title: string;
  /** Output of the host: blanks and line ends are kept. */
  verbatim: boolean;
  source: ByteSource;
}

/** Larger JSON is shown as it is: parsing it would hold up the extension host. */
const MAX_PARSED_BYTES = 4 * 1024 * 1024;

/**
 * Everything there is to say about one minion's result, nothing left out: outputs are not read yet, they
 * are only where they can be read. Throws FuncError as the requests do.
 */
export async function resultParts(
  reader: ResultReader,
  result: MinionResult,
  isCommand: boolean,
): Promise<ResultPart[]> {
  if (result.error) return errorParts(result.error, adviceOf(result));
  if (result.state !== "succeeded") return [ours("state", "State", "No result yet.")];
  const value = await parsed(reader, result.value ?? null);
  return (isCommand ? commandParts(reader, value) : undefined) ?? valueParts(reader, value);
}

async function parsed(reader: ResultReader, value: JsonValue): Promise<JsonValue> {
  const ref = outputRefOf(value);
  if (ref?.kind !== "json" || ref.bytes > MAX_PARSED_BYTES) return value;
  return expandJson(reader, value);
}

function errorParts({ message, type, trace }: CallError, advice = ""): ResultPart[] {
  return [
    ours("problem", "Problem", plainProblem(message) || type),
    ours("nextStep", "What to do", advice),
    ours("error", "Error", type),
    { ...ours("trace", "Trace of the minion", trace.trimEnd()), verbatim: true },
  ].filter(({ source }) => source.bytes > 0);
}

function ours(key: string, title: string, text: string): ResultPart {
  return { key, title, verbatim: false, source: textSource(text) };
}

function commandParts(reader: ResultReader, value: JsonValue): ResultPart[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const [status, stdout = "", stderr = ""] = value;
  if (typeof status !== "number") return undefined;
  const outputs = [
    {
      key: "stdout",
      title: "Output (stdout)",
      verbatim: true,
      source: plainSource(reader, stdout),
    },
    {
      key: "stderr",
      title: "Errors (stderr)",
      verbatim: true,
      source: plainSource(reader, stderr),
    },
  ].filter(({ source }) => source.bytes > 0);
  return [...outputs, ours("exitStatus", "Exit status", String(status))];
}

function valueParts(reader: ResultReader, value: JsonValue): ResultPart[] {
  const inner: ResultPart[] = [];
  // an output that is the whole value is read where the value is
  const shown = outputRefOf(value) ? value : withoutOutputs(reader, value, "", inner);
  const source = plainSource(reader, shown);
  return [{ key: "value", title: "Result", verbatim: true, source }, ...inner];
}

/** `value` as bytes: strings and base64 as what they hold, everything else as indented JSON. */
function plainSource(reader: ResultReader, value: JsonValue): ByteSource {
  const ref = outputRefOf(value);
  if (ref) return outputSource(reader, ref);
  const plain = plainText(value);
  return plain === undefined
    ? textSource(JSON.stringify(value, undefined, 2))
    : bufferSource(plain);
}

function plainText(value: JsonValue): Buffer | undefined {
  if (typeof value === "string") return Buffer.from(value, "utf8");
  const encoded = marked(value, "$base64");
  return typeof encoded === "string" ? Buffer.from(encoded, "base64") : undefined;
}

/** What the mark `mark` of a type of XML-RPC holds, where `value` has it. */
function marked(value: JsonValue, mark: "$base64" | "$struct"): JsonValue | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.keys(value).length === 1 ? value[mark] : undefined;
}

/** `value` with a note where an output is, which becomes a part of its own. */
function withoutOutputs(
  reader: ResultReader,
  value: JsonValue,
  path: string,
  parts: ResultPart[],
): JsonValue {
  const ref = outputRefOf(value);
  if (ref) return noteOf(reader, ref, path, parts);
  if (Array.isArray(value)) {
    return value.map((item, at) => withoutOutputs(reader, item, `${path}[${at}]`, parts));
  }
  if (value === null || typeof value !== "object") return value;
  const struct = marked(value, "$struct");
  if (typeof struct === "object" && struct !== null && !Array.isArray(struct)) {
    // what looks like a mark in there is a member of the host's own
    return { $struct: members(reader, struct, path, parts) };
  }
  return members(reader, value, path, parts);
}

function members(
  reader: ResultReader,
  struct: Record<string, JsonValue>,
  path: string,
  parts: ResultPart[],
): JsonValue {
  return Object.fromEntries(
    Object.entries(struct).map(([name, item]) => [
      name,
      withoutOutputs(reader, item, path === "" ? name : `${path}.${name}`, parts),
    ]),
  );
}

function noteOf(
  reader: ResultReader,
  ref: OutputRef,
  path: string,
  parts: ResultPart[],
): JsonValue {
  const title = `Result: ${path}`;
  const source = outputSource(reader, ref);
  parts.push({ key: `output${parts.length + 1}`, title, verbatim: true, source });
  return `(${formatBytes(ref.bytes)}: see "${title}" below)`;
}
