import { messageOf } from "../common/errors";
import type { Log } from "../common/log";
import { asRemoteError } from "../wire/remoteError";
import { RpcFault } from "../wire/rpcFault";
import type { WireClient, WirePeer } from "../wire/wireClient";

const TIMEOUT_MS = 5_000;
/** The first may take a held connection that is dead without anybody knowing; the next is a fresh one. */
const ATTEMPTS = 2;
/** A whole fleet may be cancelled at once. */
const AT_ONCE = 64;

/**
 * What the minion said: it "stops" what ran, there was "nothing" to stop (any more), it "cannot" be told at all,
 * or is "away" and has to be told later.
 */
export type CancelAnswer = "stops" | "nothing" | "cannot" | "away";

/** Tells minions to stop what they were called for. */
export class CancelTeller {
  readonly #line: (() => Promise<void>)[] = [];
  #telling = 0;

  constructor(
    private readonly wire: () => Promise<WireClient>,
    private readonly log: Log,
  ) {}

  /** Asks a native minion to stop a call (by its Func-Call id) or a job (by its own id). Never throws. */
  tell(peer: () => WirePeer, id: string): Promise<CancelAnswer> {
    return new Promise((resolve) => {
      this.#line.push(async () => {
        resolve(await this.#tell(peer(), id));
      });
      void this.#work();
    });
  }

  async #work(): Promise<void> {
    if (this.#telling >= AT_ONCE) return;
    this.#telling++;
    for (let next = this.#line.shift(); next; next = this.#line.shift()) await next();
    this.#telling--;
  }

  async #tell(peer: WirePeer, id: string): Promise<CancelAnswer> {
    let problem: unknown;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      try {
        const wire = await this.wire();
        // an original minion cannot be asked
        if (wire.isNative(peer) === false) return "cannot";
        const answer = await wire.call(peer, "jobs.cancel", [id], { timeoutMs: TIMEOUT_MS });
        if (asRemoteError(answer)) return "cannot";
        return answer === true ? "stops" : "nothing";
      } catch (error) {
        problem = error;
        if (error instanceof RpcFault) return "cannot"; // it was told
      }
    }
    this.log.info("a minion could not be told to cancel", {
      minion: peer.name,
      problem: messageOf(problem),
    });
    return "away";
  }
}
