import { createHash } from "node:crypto";
import { FuncError } from "../common/errors";
import { MAX_OUTPUT_READ_BYTES, outputRefOf, type OutputRef } from "../protocol/outputs";
import type { OverlordRequests } from "../protocol/requests";
import type { JsonValue } from "../protocol/value";

type ReadParams = OverlordRequests["outputs/read"]["params"];
type ReadAnswer = OverlordRequests["outputs/read"]["result"];

/** What outputs are read with: a connection to the overlord, or what keeps one. */
export interface OutputReader {
  request(
    method: "outputs/read",
    params: ReadParams,
    options?: { signal?: AbortSignal },
  ): Promise<ReadAnswer>;
}

export interface OutputRange {
  /** First byte, by default 0. */
  offset?: number;
  /** By default up to the end. */
  length?: number;
  signal?: AbortSignal;
}

/** A value kept as JSON is parsed in memory; the limits of the wire keep it far below this. */
const MAX_JSON_BYTES = 256 * 1024 * 1024;

/**
 * The bytes of an output in pieces of at most MAX_OUTPUT_READ_BYTES, the next one being read while one
 * is used. Exactly the range comes, or an error: what the request throws, "unavailable" where the
 * overlord has less than it promised, "bad-data" where the whole does not have its hash.
 */
export async function* outputChunks(
  reader: OutputReader,
  ref: Pick<OutputRef, "sha256" | "bytes">,
  { offset = 0, length = ref.bytes - offset, signal }: OutputRange = {},
): AsyncGenerator<Buffer, void, undefined> {
  const end = Math.min(ref.bytes, offset + length);
  const hash = offset === 0 && end === ref.bytes ? createHash("sha256") : undefined;
  let at = offset;
  let next = at < end ? readAhead(reader, ref, at, end, signal) : undefined;
  while (next !== undefined) {
    const chunk = await next;
    at += chunk.length;
    next = at < end ? readAhead(reader, ref, at, end, signal) : undefined;
    hash?.update(chunk);
    yield chunk;
  }
  if (hash && hash.digest("hex") !== ref.sha256) {
    throw new FuncError(
      "bad-data",
      `The overlord's copy of the output ${ref.sha256.slice(0, 12)} is damaged: its hash is another.`,
      "Look for errors of its disk, then make the call again.",
    );
  }
}

function readAhead(
  reader: OutputReader,
  ref: Pick<OutputRef, "sha256" | "bytes">,
  offset: number,
  end: number,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const chunk = readOnce(reader, ref.sha256, offset, end, signal);
  // whoever stops in between does not wait for it
  chunk.catch(() => undefined);
  return chunk;
}

async function readOnce(
  reader: OutputReader,
  sha256: string,
  offset: number,
  end: number,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const length = Math.min(MAX_OUTPUT_READ_BYTES, end - offset);
  const { base64 } = await reader.request("outputs/read", { sha256, offset, length }, { signal });
  const chunk = Buffer.from(base64, "base64");
  if (chunk.length === 0 || chunk.length > length) {
    throw new FuncError(
      "unavailable",
      `The overlord has the output ${sha256.slice(0, 12)} only up to byte ${offset}.`,
      "Make the call again.",
    );
  }
  return chunk;
}

/**
 * A range of an output in one piece: for what is known to be small. Throws as `outputChunks` does.
 */
export async function readOutput(
  reader: OutputReader,
  ref: Pick<OutputRef, "sha256" | "bytes">,
  range: OutputRange = {},
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of outputChunks(reader, ref, range)) chunks.push(chunk);
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

/**
 * `value`, read and parsed where it stands as a whole in an output of kind "json"; outputs inside of it
 * stay as they are. Throws "too-large" above `maxBytes` (default 256 MiB), and as `outputChunks` does.
 */
export async function expandJson(
  reader: OutputReader,
  value: JsonValue,
  { signal, maxBytes = MAX_JSON_BYTES }: { signal?: AbortSignal; maxBytes?: number } = {},
): Promise<JsonValue> {
  const ref = outputRefOf(value);
  if (ref?.kind !== "json") return value;
  if (ref.bytes > maxBytes) {
    throw new FuncError(
      "too-large",
      `The value has ${ref.bytes} bytes as JSON, at most ${maxBytes} can be shown.`,
    );
  }
  const json = await readOutput(reader, ref, { signal });
  return JSON.parse(json.toString("utf8")) as JsonValue;
}
