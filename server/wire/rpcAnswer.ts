import type { ServerResponse } from "node:http";
import { DEFAULT_LIMITS } from "./decode";
import { responseDocument } from "./encode";
import type { OutgoingDocument } from "./outgoingDocument";
import { RpcFault } from "./rpcFault";
import type { XmlRpcValue } from "./value";

/** Bigger pieces make the original's client hang for 20 s on what OpenSSL has already decrypted. */
const PIECE_BYTES = 1_024;
/** Time for a client that is still writing to read why it should not. */
const LINGER_MS = 1_000;
const HEADERS = { "Content-Type": "text/xml" };

/** The answer of `method`. Throws RpcFault where it is larger than what clients read: it is never cut. */
export function answerDocument(method: string, value: XmlRpcValue): OutgoingDocument {
  const document = responseDocument(value);
  const { maxBytes } = DEFAULT_LIMITS;
  if (document.length <= maxBytes) return document;
  throw new RpcFault(
    1,
    `${method} has run, but its answer was not sent: it has ${document.length} bytes, and at most ${maxBytes} are read. Ask for less at a time.`,
  );
}

/**
 * Answers with an XML-RPC document: to one of our own clients in one piece; to any other with headers
 * in a TLS record of their own and small chunks, and never with `Connection: close`, which breaks the original's.
 * With `isLast` the connection ends then, and what is left of the request is not waited for.
 */
export async function sendDocument(
  response: ServerResponse,
  document: OutgoingDocument,
  native: boolean,
  isLast = false,
): Promise<void> {
  if (isLast) hangUpAfter(response);
  if (native || response.req.httpVersion === "1.0") {
    const connection = isLast && native ? { Connection: "close" } : {};
    response.writeHead(200, { ...HEADERS, ...connection, "Content-Length": document.length });
    await endWith(response, document);
    return;
  }
  response.writeHead(200, HEADERS);
  response.flushHeaders();
  await nextTurn();
  for (const large of piecesOf(document)) {
    for (let at = 0; at < large.length && !response.destroyed; at += PIECE_BYTES) {
      await written(response, large.subarray(at, at + PIECE_BYTES));
    }
  }
  response.end();
}

/** Large documents are made as fast as the client takes them. */
async function endWith(response: ServerResponse, document: OutgoingDocument): Promise<void> {
  if (Buffer.isBuffer(document)) {
    response.end(document);
    return;
  }
  let last: Buffer = Buffer.alloc(0);
  for (const piece of document.pieces()) {
    if (last.length > 0 && !response.write(last)) await room(response);
    if (response.destroyed) return;
    last = piece;
  }
  // with its last byte the answer has to be at its end: the client may ask on at once
  response.end(last);
}

function piecesOf(document: OutgoingDocument): Iterable<Buffer> {
  return Buffer.isBuffer(document) ? [document] : document.pieces();
}

/** Answers with a bare status and ends the connection; what is left of the request is not waited for. */
export function sendStatus(response: ServerResponse, status: number): void {
  hangUpAfter(response);
  response.writeHead(status, { "Content-Length": 0 });
  response.end();
}

function hangUpAfter(response: ServerResponse): void {
  const { socket } = response.req; // the response lets go of it as it ends
  response.once("finish", () => {
    // closing while the client still writes could destroy the answer on its way
    const timer = setTimeout(() => socket.destroy(), response.req.complete ? 0 : LINGER_MS).unref();
    socket.once("close", () => {
      clearTimeout(timer);
    });
  });
}

function written(response: ServerResponse, piece: Buffer): Promise<void> {
  // waiting for each write keeps it a TLS record of its own: Node would join those of one turn
  return new Promise((resolve) => {
    response.write(piece, () => {
      resolve();
    });
  });
}

function room(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.on("drain", done).on("close", done);
  });
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
