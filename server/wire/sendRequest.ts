import type { Socket } from "node:net";
import type { OutgoingDocument } from "./outgoingDocument";
import type { WireConnection } from "./wireConnection";
import type { WirePeer } from "./wirePeer";

/** Up to here, copying a body to one write with its head is cheaper than a second TLS record. */
const ONE_WRITE_BYTES = 64 * 1024;

export interface OutgoingRequest {
  peer: WirePeer;
  body: OutgoingDocument;
  callId: string | undefined;
  /** So many bytes of the body have been taken by now. */
  onTaken: (bytes: number) => void;
  /** The last byte of the request has been taken. */
  onDelivered: () => void;
}

/** Sends one request. What is returned tells whether all of it has been handed to the connection. */
export function sendRequest(connection: WireConnection, request: OutgoingRequest): () => boolean {
  const { peer, body, callId, onTaken, onDelivered } = request;
  const address = peer.address.includes(":") ? `[${peer.address}]` : peer.address;
  const id = connection.native && callId !== undefined ? `Func-Call: ${callId}\r\n` : "";
  const head = Buffer.from(
    `POST /RPC2 HTTP/1.1\r\nHost: ${address}:${peer.port}\r\nUser-Agent: func-overlord\r\n` +
      `Content-Type: text/xml\r\n${id}Content-Length: ${body.length}\r\n\r\n`,
    "latin1",
  );
  const { socket } = connection;
  if (connection.native && Buffer.isBuffer(body) && body.length <= ONE_WRITE_BYTES) {
    socket.write(Buffer.concat([head, body]), onDelivered);
    return () => true;
  }
  let sent = false;
  // the original hangs for 20 s where head and body share a TLS record of more than 8 KB
  socket.write(head, () => {
    const pieces = Buffer.isBuffer(body) ? [body].values() : body.pieces();
    writePieces(socket, pieces, onTaken, () => {
      sent = true;
      onDelivered();
    });
  });
  return () => sent;
}

/** Each piece is made when the one before is on its way. */
function writePieces(
  socket: Socket,
  pieces: Iterator<Buffer>,
  onTaken: (bytes: number) => void,
  done: () => void,
): void {
  let taken = 0;
  const next = (error?: Error | null): void => {
    if (error || !socket.writable) return;
    const piece = pieces.next();
    if (piece.done) {
      done();
      return;
    }
    onTaken(taken);
    taken += piece.value.length;
    socket.write(piece.value, next);
  };
  next();
}
