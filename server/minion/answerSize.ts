import { DEFAULT_LIMITS } from "../wire/decode";
import { responseDocument } from "../wire/encode";
import type { XmlRpcValue } from "../wire/value";

/** The largest document that callers read. */
export const MAX_ANSWER_BYTES = DEFAULT_LIMITS.maxBytes;
/** "&" has five bytes in a document. */
const GREATEST_GROWTH = 5;

/**
 * The size of the answer `value` as a document where that is more than callers read; undefined where it is
 * not. `bytes`: about what the value has itself.
 */
export function answerExcess(value: XmlRpcValue, bytes: number): number | undefined {
  if (bytes * GREATEST_GROWTH < MAX_ANSWER_BYTES) return undefined;
  const { length } = responseDocument(value);
  return length > MAX_ANSWER_BYTES ? length : undefined;
}
