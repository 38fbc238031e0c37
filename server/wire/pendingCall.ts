import { setMaxListeners } from "node:events";
import type { TLSSocket } from "node:tls";
import type { HttpResponse } from "./httpResponse";
import { PausableTimer } from "./pausableTimer";
import { cancelled, timedOut, unreachable } from "./wireErrors";
import type { WirePeer } from "./wirePeer";

/** One call under way: settles once, by its answer, a failure, its deadlines or a signal. */
export class PendingCall {
  readonly result: Promise<HttpResponse>;
  #resolve: (response: HttpResponse) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  #settled = false;
  #sent = false;
  #socket?: TLSSocket;
  #connectTimer?: NodeJS.Timeout;
  readonly #timer: PausableTimer;
  readonly #onAbort: () => void;

  constructor(
    private readonly peer: WirePeer,
    timeoutMs: number,
    private readonly signals: readonly AbortSignal[],
  ) {
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#onAbort = () => {
      this.settle(cancelled(peer, this.#sent));
    };
    this.#timer = new PausableTimer(timeoutMs, () => {
      this.settle(timedOut(peer, timeoutMs, this.#sent));
    });
    for (const signal of signals) {
      setMaxListeners(0, signal); // one signal cancels the calls of a whole fleet: no leak
      if (signal.aborted) this.#onAbort();
      else signal.addEventListener("abort", this.#onAbort);
    }
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** A connection is being made on `socket`, for which there is `withinMs`. */
  connecting(socket: TLSSocket, withinMs: number): void {
    this.#socket = socket;
    let reached = false;
    socket.once("connect", () => {
      reached = true;
    });
    this.#connectTimer = setTimeout(() => {
      const { peer } = this;
      this.settle(
        reached ? timedOut(peer, withinMs, false) : unreachable(peer, undefined, withinMs),
      );
    }, withinMs);
  }

  connected(socket: TLSSocket): void {
    clearTimeout(this.#connectTimer);
    this.#socket = socket;
  }

  /** From here on the call may have run. */
  sending(): void {
    this.#sent = true;
  }

  /** It is us who do not read on: no time passes until `resume`. May be nested. */
  suspend(): void {
    this.#timer.pause();
  }

  resume(): void {
    this.#timer.resume();
  }

  /** Only the first counts. A failure ends the connection: what comes on it later belongs to nobody. */
  settle(result: HttpResponse | Error): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#timer.clear();
    clearTimeout(this.#connectTimer);
    for (const signal of this.signals) signal.removeEventListener("abort", this.#onAbort);
    if (result instanceof Error) {
      this.#socket?.destroy();
      this.#reject(result);
    } else {
      this.#resolve(result);
    }
  }
}
