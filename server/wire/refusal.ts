import type { ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";

/** Header (in lower case) of the 403 that tells one of our own clients why its certificate was refused. */
export const REFUSED_HEADER = "func-refused";

/** Time for the client to read the refusal; closing at once could destroy it on its way. */
const LINGER_MS = 1_000;
const MAX_REASON = 200;

/**
 * Ends a connection of which not one byte is read. A client of our own is told why; any other sees the
 * connection close (the original's would take a status for a failure of the method).
 */
export function refuse(socket: TLSSocket, native: boolean, reason: string): void {
  socket.on("error", () => {
    // the peer may be gone already
  });
  if (!native) {
    socket.destroy();
    return;
  }
  socket.end(
    `HTTP/1.1 403 Forbidden\r\nFunc-Refused: ${headerText(reason)}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
  );
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
  socket.once("close", () => {
    clearTimeout(timer);
  });
}

/** Refuses a later request of a connection that was fine before (a revocation, the end of a certificate). */
export function refuseRequest(response: ServerResponse, native: boolean, reason: string): void {
  const { socket } = response;
  if (!native) {
    socket?.destroy();
    return;
  }
  response.writeHead(403, {
    [REFUSED_HEADER]: headerText(reason),
    Connection: "close",
    "Content-Length": 0,
  });
  response.end(() => socket?.destroySoon());
}

function headerText(reason: string): string {
  return reason.slice(0, MAX_REASON).replace(/[^\x20-\x7e]/g, "?");
}
