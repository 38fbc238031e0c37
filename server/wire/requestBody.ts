import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { FuncError } from "../common/errors";

const unzip = promisify(gunzip);

/**
 * The body of a request, unpacked where it is gzipped. Throws FuncError "too-large" beyond `maxBytes`
 * (packed or not), "bad-data" on another coding or damaged gzip, "broken-answer" where the peer ends early.
 */
export async function readRequestBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const coding = request.headers["content-encoding"]?.toLowerCase() ?? "identity";
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const body = await collect(request, maxBytes);
  if (coding === "identity") return body;
  if (coding !== "gzip" && coding !== "x-gzip") {
    throw new FuncError("bad-data", `The content encoding "${coding.slice(0, 40)}" is not known.`);
  }
  try {
    return await unzip(body, { maxOutputLength: maxBytes });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(maxBytes);
    throw new FuncError("bad-data", "The request's gzip data is damaged.", undefined, {
      cause: error,
    });
  }
}

function collect(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    const onData = (piece: Buffer): void => {
      bytes += piece.length;
      if (bytes > maxBytes) {
        request.off("data", onData).pause();
        reject(tooLarge(maxBytes));
        return;
      }
      pieces.push(piece);
    };
    request
      .on("data", onData)
      .once("end", () => {
        resolve(Buffer.concat(pieces));
      })
      .once("error", reject)
      .once("close", () => {
        reject(new FuncError("broken-answer", "The connection was closed within the request."));
      });
  });
}

function tooLarge(maxBytes: number): FuncError {
  return new FuncError("too-large", `The request has more than ${maxBytes} bytes.`);
}
