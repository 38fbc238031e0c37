import { randomUUID } from "node:crypto";
import { expandJson, outputChunks, type OutputReader } from "../../server/client/outputs";
import { outputRefOf, type OutputRef } from "../../server/protocol/outputs";
import type { JsonValue } from "../../server/protocol/value";

/**
 * A value as JSON, piece by piece, with each large output in its place: text as a string, bytes as
 * `{"$base64": ...}`, as small ones are. Throws FuncError.
 */
export async function* jsonText(
  reader: OutputReader,
  value: JsonValue,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  const expanded = await expandJson(reader, value, { signal });
  const outputs: OutputRef[] = [];
  // what a host sent cannot contain it
  const mark = `output-${randomUUID()}-`;
  const replaced = JSON.stringify(expanded, (key, item: JsonValue) => {
    // members of a struct that only looks like one of our marks are the host's own
    const ref = key === "$struct" ? undefined : outputRefOf(item);
    return ref ? `${mark}${outputs.push(ref) - 1}` : item;
  });
  const pieces = replaced.split(new RegExp(`"${mark}(\\d+)"`));
  for (const [at, piece] of pieces.entries()) {
    const ref = at % 2 === 1 ? outputs[Number(piece)] : undefined;
    if (ref) yield* outputJson(reader, ref, signal);
    else yield piece;
  }
}

async function* outputJson(
  reader: OutputReader,
  ref: OutputRef,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  if (ref.kind === "bytes") {
    yield '{"$base64":"';
    yield* base64Text(outputChunks(reader, ref, { signal }));
    yield '"}';
    return;
  }
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  if (ref.kind === "text") yield '"';
  for await (const chunk of outputChunks(reader, ref, { signal })) {
    const text = decoder.decode(chunk, { stream: true });
    yield ref.kind === "text" ? JSON.stringify(text).slice(1, -1) : text;
  }
  if (ref.kind === "text") yield '"';
}

/** Base64 in pieces that together are the base64 of the whole. */
async function* base64Text(chunks: AsyncIterable<Buffer>): AsyncGenerator<string, void, undefined> {
  let rest = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = Buffer.concat([rest, chunk]);
    const whole = bytes.length - (bytes.length % 3);
    yield bytes.subarray(0, whole).toString("base64");
    rest = Buffer.from(bytes.subarray(whole));
  }
  yield rest.toString("base64");
}
