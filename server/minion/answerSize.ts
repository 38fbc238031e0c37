import { DEFAULT_LIMITS } from "../wire/decode";
import { responseDocument } from "../wire/encode";
import type { XmlRpcValue } from "../wire/value";

/** The largest document that callers read. */
export const MAX_ANSWER_BYTES = DEFAULT_LIMITS.maxBytes;
/** "&" has five bytes in a document. */
const GREATEST_GROWTH = 5;

/** So much fits into an answer, whatever the bytes are. */
const PART_BYTES = 40_000_000;

/** How to get a file of the host that is larger than an answer. */
export function readInParts(file: string): string {
  return `read it in parts: tail -c +1 ${file} | head -c ${PART_BYTES}, then from +${PART_BYTES + 1}, and so on`;
}

/**
 * The size of the answer `value` as a document where that is more than callers read; undefined where it is
 * not. `bytes`: about what the value has itself.
 */
export function answerExcess(value: XmlRpcValue, bytes: number): number | undefined {
  if (bytes * GREATEST_GROWTH < MAX_ANSWER_BYTES) return undefined;
  const { length } = responseDocument(value);
  return length > MAX_ANSWER_BYTES ? length : undefined;
}
