import type { Socket } from "node:net";
import type { FuncError } from "../common/errors";
import type { AnswerBody, AnswerHead } from "./answerBody";
import { answerError } from "./answerError";
import type { HttpResponse } from "./httpResponse";
import { HttpResponseParser } from "./httpResponse";
import type { OutgoingRequest } from "./sendRequest";
import { sendRequest } from "./sendRequest";
import { errorCode, tlsError } from "./tlsErrors";
import type { WireConnection } from "./wireConnection";
import { connectionLost } from "./wireErrors";

export interface Exchange extends OutgoingRequest {
  maxAnswerBytes: number;
  /** Makes what takes the body of an answer that is not known to be small. */
  openBody: (head: AnswerHead) => AnswerBody;
  /** Called right before the first byte goes out: from here on the call may have run. */
  onSending: () => void;
  /** The answer has begun, and says how many bytes its body has. May be called more than once. */
  onExpecting: (bytes: number) => void;
  /** It is us who do not read on, until `onReading`. */
  onHolding: () => void;
  onReading: () => void;
}

/**
 * Sends one request on `connection` and calls `done` once, with the answer or with the FuncError it failed
 * with.
 */
export function exchange(
  connection: WireConnection,
  request: Exchange,
  done: (result: HttpResponse | FuncError) => void,
): void {
  const reader = new AnswerReader(connection.socket, request, done);
  request.onSending();
  reader.requestIsSent = sendRequest(connection, request);
}

class AnswerReader {
  requestIsSent = (): boolean => false;
  readonly #parser: HttpResponseParser;
  #over = false;

  constructor(
    private readonly socket: Socket,
    private readonly request: Exchange,
    private readonly done: (result: HttpResponse | FuncError) => void,
  ) {
    this.#parser = new HttpResponseParser(request.maxAnswerBytes, request.openBody);
    socket
      .on("data", this.#onData)
      .on("end", this.#onEnd)
      .on("close", this.#onEnd)
      .on("error", this.#onError);
  }

  readonly #onData = (piece: Buffer): void => {
    let response: HttpResponse | undefined;
    try {
      response = this.#parser.push(piece);
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (response) {
      this.#complete(response);
      return;
    }
    const { expectedBytes } = this.#parser;
    if (expectedBytes !== undefined) this.request.onExpecting(expectedBytes);
    const waiting = this.#parser.takeWait();
    if (waiting) this.#hold(waiting, () => undefined);
  };

  readonly #onEnd = (): void => {
    const response = this.#parser.end();
    if (response) this.#complete(response);
    else this.#finish(connectionLost(this.request.peer, this.#parser.started));
  };

  readonly #onError = (error: Error): void => {
    const { peer } = this.request;
    const { started } = this.#parser;
    // with TLS 1.3 the peer's verdict on our certificate comes after the handshake
    const refused = !started && errorCode(error).includes("ALERT");
    this.#finish(refused ? tlsError(error, peer) : connectionLost(peer, started, error));
  };

  /** Reads no more before `waiting` resolves. */
  #hold(waiting: Promise<unknown>, then: () => void): void {
    this.socket.pause();
    this.request.onHolding();
    waiting.then(
      () => {
        this.request.onReading();
        if (this.#over) return;
        this.socket.resume();
        then();
      },
      (error: unknown) => {
        this.#fail(error);
      },
    );
  }

  #complete(response: HttpResponse): void {
    const { stream } = response;
    if (!this.requestIsSent()) response.keepAlive = false; // the rest would follow
    if (!stream) {
      this.#finish(response);
      return;
    }
    this.#stop(); // what becomes of the connection is no matter of this call any more
    const ended = stream.end().then((answer) => {
      response.answer = answer;
    });
    this.#hold(ended, () => {
      this.#finish(response);
    });
  }

  #fail(error: unknown): void {
    this.#finish(answerError(this.request.peer, error));
  }

  #finish(result: HttpResponse | FuncError): void {
    if (this.#over) return;
    this.#over = true;
    this.#stop();
    this.done(result);
  }

  #stop(): void {
    this.socket
      .off("data", this.#onData)
      .off("end", this.#onEnd)
      .off("close", this.#onEnd)
      .off("error", this.#onError);
  }
}
