import type { ServerResponse } from "node:http";

/** Bigger pieces make the original's client hang for 20 s on what OpenSSL has already decrypted. */
const PIECE_BYTES = 1_024;
const HEADERS = { "Content-Type": "text/xml" };

/**
 * Answers with an XML-RPC document: to one of our own clients in one piece; to any other with headers
 * in a TLS record of their own and small chunks, and never with `Connection: close`, which breaks the original's.
 */
export async function sendDocument(
  response: ServerResponse,
  document: Buffer,
  native: boolean,
): Promise<void> {
  if (native || response.req.httpVersion === "1.0") {
    response.writeHead(200, { ...HEADERS, "Content-Length": document.length });
    response.end(document);
    return;
  }
  response.writeHead(200, HEADERS);
  response.flushHeaders();
  await nextTurn();
  for (let at = 0; at < document.length && !response.destroyed; at += PIECE_BYTES) {
    await written(response, document.subarray(at, at + PIECE_BYTES));
  }
  response.end();
}

/** Answers with a bare status. With `hangUp`, the connection ends once that is written. */
export function sendStatus(response: ServerResponse, status: number, hangUp = false): void {
  response.writeHead(status, { "Content-Length": 0 });
  response.end(() => {
    if (hangUp) response.socket?.destroySoon();
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

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
