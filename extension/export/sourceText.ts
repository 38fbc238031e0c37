import type { ByteSource } from "../results/byteSource";

const CHUNK_BYTES = 1024 * 1024;

/** An output as text, piece by piece; bytes that are no UTF-8 come as U+FFFD. Throws FuncError. */
export async function* sourceText(
  source: ByteSource,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  for (let offset = 0; offset < source.bytes; offset += CHUNK_BYTES) {
    const chunk = await source.read(offset, CHUNK_BYTES, signal);
    yield decoder.decode(chunk, { stream: true });
  }
  yield decoder.decode();
}
