import { messageOf } from "../common/errors";
import type { Log } from "../common/log";
import { RpcFault } from "../wire/rpcFault";
import type { WireClient, WirePeer } from "../wire/wireClient";

/** It is a courtesy: nobody waits for it. */
const TIMEOUT_MS = 5_000;
/** The first may take a held connection that is dead without anybody knowing; the next is a fresh one. */
const ATTEMPTS = 2;
/** A whole fleet may be cancelled at once. */
const AT_ONCE = 64;

/** Tells minions in the background to stop what they were called for. */
export class CancelTeller {
  readonly #line: (() => Promise<void>)[] = [];
  #telling = 0;

  constructor(
    private readonly wire: () => Promise<WireClient>,
    private readonly log: Log,
  ) {}

  /** Asks a native minion to stop a call (by its Func-Call id) or a job (by its own id). */
  tell(peer: WirePeer, id: string): void {
    this.#line.push(() => this.#tell(peer, id));
    void this.#work();
  }

  async #work(): Promise<void> {
    if (this.#telling >= AT_ONCE) return;
    this.#telling++;
    for (let next = this.#line.shift(); next; next = this.#line.shift()) await next();
    this.#telling--;
  }

  async #tell(peer: WirePeer, id: string): Promise<void> {
    let problem: unknown;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      try {
        const wire = await this.wire();
        // an original minion cannot be asked
        if (!wire.isNative(peer)) return;
        await wire.call(peer, "jobs.cancel", [id], { timeoutMs: TIMEOUT_MS });
        return;
      } catch (error) {
        problem = error;
        if (error instanceof RpcFault) break; // it was told
      }
    }
    this.log.info("a minion could not be told to cancel", {
      minion: peer.name,
      problem: messageOf(problem),
    });
  }
}
