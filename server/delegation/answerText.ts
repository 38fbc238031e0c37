import { FuncError } from "../common/errors";
import type { OutputFiles } from "../jobs/outputs/outputFiles";
import { XmlRpcSpooled, type XmlRpcValue } from "../wire/value";

const PIECE_BYTES = 1024 * 1024;

/**
 * A text that a minion answered, also one that was written to the spool since it is large; that file is let go.
 * Throws FuncError "broken-answer" for anything else, "too-large" beyond `maxBytes`.
 */
export async function readAnswerText(
  value: XmlRpcValue,
  outputs: Pick<OutputFiles, "read" | "unclaim">,
  maxBytes: number,
): Promise<string> {
  if (typeof value === "string") return value;
  if (!(value instanceof XmlRpcSpooled)) {
    throw new FuncError("broken-answer", "The answer is no text.");
  }
  const { sha256, bytes } = value;
  try {
    if (bytes > maxBytes) {
      throw new FuncError(
        "too-large",
        `The answer has ${bytes} bytes; at most ${maxBytes} are read.`,
      );
    }
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes; at += PIECE_BYTES) {
      pieces.push((await outputs.read(sha256, at, PIECE_BYTES)).bytes);
    }
    return Buffer.concat(pieces).toString("utf8");
  } finally {
    outputs.unclaim(value);
  }
}
