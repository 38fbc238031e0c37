import { FuncError } from "../common/errors";
import type { HttpResponse } from "./httpResponse";
import { HttpResponseParser } from "./httpResponse";
import type { WireConnection } from "./wireConnection";
import { errorCode, tlsError } from "./tlsErrors";
import { answerTooLarge, brokenAnswer, connectionLost } from "./wireErrors";
import type { WirePeer } from "./wirePeer";

/** Up to here, copying a body to one write with its head is cheaper than a second TLS record. */
const ONE_WRITE_BYTES = 64 * 1024;

export interface Exchange {
  peer: WirePeer;
  body: Buffer;
  callId: string | undefined;
  maxAnswerBytes: number;
  /** Called right before the first byte goes out: from here on the call may have run. */
  onSending: () => void;
  /** The last byte of the request has been taken. */
  onDelivered: () => void;
}

/**
 * Sends one request on `connection` and calls `done` once, with the answer or with the FuncError it failed
 * with. Returns a function that ends listening (the connection is then of no use to anyone else).
 */
export function exchange(
  connection: WireConnection,
  request: Exchange,
  done: (result: HttpResponse | FuncError) => void,
): () => void {
  const { socket } = connection;
  const { peer } = request;
  const parser = new HttpResponseParser(request.maxAnswerBytes);
  const stop = (): void => {
    socket.off("data", onData).off("end", onEnd).off("close", onEnd).off("error", onError);
  };
  const finish = (result: HttpResponse | FuncError): void => {
    stop();
    done(result);
  };
  const onData = (piece: Buffer): void => {
    let response: HttpResponse | undefined;
    try {
      response = parser.push(piece);
    } catch (error) {
      finish(parseError(error, peer));
      return;
    }
    if (response) finish(response);
  };
  const onEnd = (): void => {
    finish(parser.end() ?? connectionLost(peer, parser.started));
  };
  const onError = (error: Error): void => {
    // with TLS 1.3 the peer's verdict on our certificate comes after the handshake
    const refused = !parser.started && errorCode(error).includes("ALERT");
    finish(refused ? tlsError(error, peer) : connectionLost(peer, parser.started, error));
  };
  socket.on("data", onData).on("end", onEnd).on("close", onEnd).on("error", onError);
  request.onSending();
  send(connection, request);
  return stop;
}

function parseError(error: unknown, peer: WirePeer): FuncError {
  if (!(error instanceof FuncError))
    return brokenAnswer(peer, "answered with nonsense", true, error);
  if (error.reason === "too-large") return answerTooLarge(peer, error);
  return brokenAnswer(peer, `did not answer with HTTP: ${error.message}`, true, error);
}

function send(connection: WireConnection, request: Exchange): void {
  const { peer, body, callId, onDelivered } = request;
  const address = peer.address.includes(":") ? `[${peer.address}]` : peer.address;
  const id = connection.native && callId !== undefined ? `Func-Call: ${callId}\r\n` : "";
  const head = Buffer.from(
    `POST /RPC2 HTTP/1.1\r\nHost: ${address}:${peer.port}\r\nUser-Agent: func-overlord\r\n` +
      `Content-Type: text/xml\r\n${id}Content-Length: ${body.length}\r\n\r\n`,
    "latin1",
  );
  const { socket } = connection;
  if (connection.native && body.length <= ONE_WRITE_BYTES) {
    socket.write(Buffer.concat([head, body]), onDelivered);
    return;
  }
  // the original hangs for 20 s where head and body share a TLS record of more than 8 KB
  socket.write(head, () => {
    if (socket.writable) socket.write(body, onDelivered);
  });
}
