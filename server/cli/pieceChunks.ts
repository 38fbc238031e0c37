import { StringDecoder } from "node:string_decoder";
import { outputChunks, readOutput, type OutputReader } from "../client/outputs";
import type { OutputRef } from "../protocol/outputs";
import { isNoText, JUDGED_BYTES, noTextLine, Utf8Escaper } from "./bytesText";
import { inertText } from "../common/inertText";
import { LineIndenter } from "./lineIndenter";
import type { JsonPiece, LinesPiece } from "./pieces";

/** What large pieces are printed with. */
export interface PieceContext {
  reader: OutputReader;
  /** Text goes to a terminal: bytes that are no text must not, and control characters are shown as codes. */
  terminal: boolean;
  signal?: AbortSignal;
}

type Chunks = AsyncGenerator<string | Buffer, void, undefined>;

/** An output as lines, chunk by chunk. Throws as `outputChunks` does. */
export async function* linesChunks(piece: LinesPiece, context: PieceContext): Chunks {
  const indenter = new LineIndenter(piece);
  const { source, exact } = piece;
  const { terminal } = context;
  if (exact && !terminal) {
    // latin1 is one character a byte: exact, also where the bytes are no text
    for await (const bytes of chunksOf(source, context)) {
      yield Buffer.from(indenter.take(bytes.toString("latin1")), "latin1");
    }
  } else if (isBytes(source) && isNoText(await beginningOf(source, context))) {
    yield indenter.take(noTextLine(Buffer.isBuffer(source) ? source.length : source.bytes));
  } else {
    for await (const text of escapedChunks(source, context)) {
      yield indenter.take(terminal ? inertText(text) : text);
    }
  }
  yield indenter.end();
}

/** An output as a string of JSON, chunk by chunk. Throws as `outputChunks` does. */
export async function* jsonChunks({ ref, typed }: JsonPiece, context: PieceContext): Chunks {
  if (ref.kind === "json") {
    yield* context.terminal ? textChunks(ref, context) : chunksOf(ref, context);
  } else if (ref.kind === "bytes" && typed) {
    yield '{"$base64":"';
    yield* base64Chunks(ref, context);
    yield '"}';
  } else if (await isText(ref, context)) {
    yield '"';
    for await (const text of textChunks(ref, context)) {
      const escaped = JSON.stringify(text).slice(1, -1);
      yield context.terminal ? inertText(escaped) : escaped;
    }
    yield '"';
  } else {
    yield '"';
    yield* base64Chunks(ref, context);
    yield '"';
  }
}

/** Bytes as they are, for a terminal as inert text with codes. Throws as `outputChunks` does. */
export async function* exactChunks(source: OutputRef | Buffer, context: PieceContext): Chunks {
  if (!context.terminal) yield* chunksOf(source, context);
  else for await (const text of escapedChunks(source, context)) yield inertText(text);
}

async function* chunksOf(
  source: OutputRef | Buffer,
  { reader, signal }: PieceContext,
): AsyncGenerator<Buffer, void, undefined> {
  if (Buffer.isBuffer(source)) yield source;
  else yield* outputChunks(reader, source, { signal });
}

/** Text is UTF-8 for sure. */
function isBytes(source: OutputRef | Buffer): boolean {
  return Buffer.isBuffer(source) || source.kind === "bytes";
}

/** As much as is judged of it. */
async function beginningOf(
  source: OutputRef | Buffer,
  { reader, signal }: PieceContext,
): Promise<Buffer> {
  if (Buffer.isBuffer(source)) return source;
  return readOutput(reader, source, { length: JUDGED_BYTES + 1, signal });
}

/** Text, with codes for bytes that are no UTF-8. */
async function* escapedChunks(
  source: OutputRef | Buffer,
  context: PieceContext,
): AsyncGenerator<string, void, undefined> {
  const escaper = new Utf8Escaper();
  for await (const bytes of chunksOf(source, context)) yield escaper.take(bytes);
  yield escaper.end();
}

/** Whether all of it is UTF-8: bytes are read once for this before they are printed. */
async function isText(source: OutputRef | Buffer, context: PieceContext): Promise<boolean> {
  if (!isBytes(source)) return true;
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    for await (const bytes of chunksOf(source, context)) decoder.decode(bytes, { stream: true });
    decoder.decode();
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

/** No character is cut by the end of a chunk. */
async function* textChunks(
  source: OutputRef | Buffer,
  context: PieceContext,
): AsyncGenerator<string, void, undefined> {
  const decoder = new StringDecoder("utf8");
  for await (const bytes of chunksOf(source, context)) yield decoder.write(bytes);
  yield decoder.end();
}

/** Three bytes are four characters: what is left over waits for the next chunk. */
async function* base64Chunks(
  source: OutputRef | Buffer,
  context: PieceContext,
): AsyncGenerator<string, void, undefined> {
  let left: Buffer = Buffer.alloc(0);
  for await (const chunk of chunksOf(source, context)) {
    const bytes = left.length > 0 ? Buffer.concat([left, chunk]) : chunk;
    const whole = bytes.length - (bytes.length % 3);
    yield bytes.toString("base64", 0, whole);
    left = bytes.subarray(whole);
  }
  yield left.toString("base64");
}
