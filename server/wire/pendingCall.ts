import { setMaxListeners } from "node:events";
import type { Socket } from "node:net";
import { isIP } from "node:net";
import type { CallLimits } from "./callLimits";
import type { HttpResponse } from "./httpResponse";
import {
  answerStalled,
  answerTooSlow,
  handshakeTimedOut,
  lookupTimedOut,
  notAnswered,
  notDelivered,
} from "./limitErrors";
import { PausableTimer } from "./pausableTimer";
import { cancelled, unreachable } from "./wireErrors";
import type { WirePeer } from "./wirePeer";

/** A line that carries less is too slow for a big request. */
const LEAST_REQUEST_BYTES_PER_MS = 100;
/** An answer that has begun must keep coming; less only where the whole call has less. */
const STALL_MS = 30_000;
const LEAST_STALL_MS = 1_000;
/** On average, once it has had its time: what is slower never ends. */
const LEAST_ANSWER_BYTES_PER_MS = 1;
const CHECK_MS = 250;

/** One call under way: settles once, by its answer, a failure, its limits or a signal. */
export class PendingCall {
  readonly result: Promise<HttpResponse>;
  #resolve: (response: HttpResponse) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  #settled = false;
  #sent = false;
  #answering = false;
  #suspensions = 0;
  #socket?: Socket;
  /** Of the present step. */
  #timer?: PausableTimer;
  #requestBytes = 0;
  #sendingSinceMs = 0;
  #waitingSinceMs?: number;
  #answerBytes?: number;
  readonly #onAbort: () => void;

  constructor(
    private readonly peer: WirePeer,
    private readonly limits: CallLimits,
    private readonly signals: readonly AbortSignal[],
  ) {
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#onAbort = () => {
      this.settle(cancelled(peer, this.#sent));
    };
    for (const signal of signals) {
      setMaxListeners(0, signal); // one signal cancels the calls of a whole fleet: no leak
      if (signal.aborted) this.#onAbort();
      else signal.addEventListener("abort", this.#onAbort);
    }
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** A connection is being made on `socket`. */
  connecting(socket: Socket): void {
    const { peer, limits } = this;
    this.#socket = socket;
    let lookedUp = isIP(peer.address) !== 0;
    let reached = false;
    socket.once("lookup", () => {
      lookedUp = true;
    });
    socket.once("connect", () => {
      reached = true;
    });
    this.#limit(limits.connectMs, () => {
      if (reached) return handshakeTimedOut(peer, limits.connectMs);
      return lookedUp
        ? unreachable(peer, undefined, limits.connectMs)
        : lookupTimedOut(peer, limits.connectMs);
    });
  }

  /** There is a connection; until it is used no time passes. */
  connected(socket: Socket): void {
    this.#timer?.clear();
    this.#socket = socket;
  }

  /** A request of `bytes` goes out: from here on the call may have run. */
  sending(bytes: number): void {
    this.#sent = true;
    this.#requestBytes = bytes;
    this.#sendingSinceMs = performance.now();
    this.#awaitDelivery(0);
    this.#socket?.once("data", this.#onAnswer);
  }

  /** So much of the request has been taken by now. */
  taken(bytes: number): void {
    if (!this.#settled && !this.#answering) this.#awaitDelivery(bytes);
  }

  /** The whole request has been taken. */
  delivered(): void {
    // some answer before they have all
    if (this.#settled || this.#answering) return;
    const { peer, limits } = this;
    this.#waitingSinceMs = performance.now();
    this.#limit(limits.runMs, () => notAnswered(peer, limits.runMs));
  }

  /** The answer says how long it is. */
  expecting(bytes: number): void {
    this.#answerBytes = bytes;
  }

  /** It is us who do not read on: no time passes until `resume`. May be nested. */
  suspend(): void {
    if (this.#suspensions++ === 0) this.#timer?.pause();
  }

  resume(): void {
    if (this.#suspensions > 0 && --this.#suspensions === 0 && !this.#settled) this.#timer?.resume();
  }

  /** Only the first counts. A failure ends the connection: what comes on it later belongs to nobody. */
  settle(result: HttpResponse | Error): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#timer?.clear();
    this.#socket?.off("data", this.#onAnswer);
    for (const signal of this.signals) signal.removeEventListener("abort", this.#onAbort);
    if (result instanceof Error) {
      this.#socket?.destroy();
      this.#reject(result);
    } else {
      this.#resolve(result);
    }
  }

  /** A pause may take `deliveryMs`, and all of it as long as that or as a big request needs. */
  #awaitDelivery(taken: number): void {
    const { peer, limits } = this;
    const total = this.#requestBytes;
    const allMs = Math.max(limits.deliveryMs, total / LEAST_REQUEST_BYTES_PER_MS);
    const leftMs = this.#sendingSinceMs + allMs - performance.now();
    this.#limit(Math.min(limits.deliveryMs, leftMs), () =>
      notDelivered(peer, performance.now() - this.#sendingSinceMs, taken, total),
    );
  }

  /** The limit of the step that begins now. */
  #limit(limitMs: number, failure: () => Error): void {
    this.#timer?.clear();
    if (this.#settled) return;
    this.#timer = new PausableTimer(
      limitMs,
      () => {
        this.settle(failure());
      },
      this.#suspensions > 0,
    );
  }

  readonly #onAnswer = (first: Buffer): void => {
    const socket = this.#socket;
    if (this.#settled || !socket) return;
    this.#answering = true;
    const waitedMs = performance.now() - (this.#waitingSinceMs ?? performance.now());
    this.#watchAnswer(socket, socket.bytesRead - first.length, waitedMs);
  };

  /** Looks again and again whether the answer keeps coming. Counts only time in which it could. */
  #watchAnswer(socket: Socket, bytesBefore: number, waitedMs: number): void {
    const { peer, limits } = this;
    const stallMs = Math.min(STALL_MS, Math.max(LEAST_STALL_MS, limits.runMs));
    const patientMs = Math.max(limits.runMs - waitedMs, stallMs);
    let elapsedMs = 0;
    let idleMs = 0;
    let seen = socket.bytesRead - bytesBefore;
    const check = (): void => {
      const bytes = socket.bytesRead - bytesBefore;
      elapsedMs += CHECK_MS;
      idleMs = bytes === seen ? idleMs + CHECK_MS : 0;
      seen = bytes;
      if (idleMs >= stallMs) {
        this.settle(answerStalled(peer, idleMs, bytes, this.#answerBytes));
      } else if (elapsedMs >= patientMs && bytes < elapsedMs * LEAST_ANSWER_BYTES_PER_MS) {
        this.settle(answerTooSlow(peer, elapsedMs, bytes, this.#answerBytes));
      } else {
        next();
      }
    };
    const next = (): void => {
      this.#timer?.clear();
      this.#timer = new PausableTimer(CHECK_MS, check, this.#suspensions > 0);
    };
    next();
  }
}
