import type { WireConnection } from "./wireConnection";

interface Held {
  key: string;
  connection: WireConnection;
  timer: NodeJS.Timeout;
  /** Called with whatever happens to the connection while it is held. */
  drop: () => void;
}

/** Open connections between calls, by peer; closed when idle too long, the oldest when too many. */
export class HeldConnections {
  readonly #byKey = new Map<string, Held[]>();
  /** In the order of being put down: the first is the longest idle. */
  readonly #all = new Set<Held>();

  constructor(
    private readonly max: number,
    private readonly idleMs: number,
  ) {}

  /** A usable connection of the peer, no longer held; undefined where there is none. */
  take(key: string): WireConnection | undefined {
    for (;;) {
      const held = this.#byKey.get(key)?.at(-1);
      if (!held) return undefined;
      this.#forget(held);
      if (held.connection.usable) {
        held.connection.socket.ref();
        return held.connection;
      }
      held.connection.destroy();
    }
  }

  put(key: string, connection: WireConnection): void {
    if (this.max <= 0 || !connection.usable) {
      connection.destroy();
      return;
    }
    const drop = (): void => {
      this.#forget(held);
      connection.destroy();
    };
    const held: Held = { key, connection, drop, timer: setTimeout(drop, this.idleMs).unref() };
    this.#all.add(held);
    const list = this.#byKey.get(key);
    if (list) list.push(held);
    else this.#byKey.set(key, [held]);
    connection.socket.unref();
    // nobody asked anything, so whatever comes is no answer
    connection.socket.once("data", drop).once("close", drop);
    const [oldest] = this.#all;
    if (this.#all.size > this.max && oldest) {
      this.#forget(oldest);
      oldest.connection.destroy();
    }
  }

  clear(): void {
    this.drop(() => true);
  }

  /** Ends those that are meant. */
  drop(isMeant: (connection: WireConnection) => boolean): void {
    for (const held of [...this.#all]) {
      if (isMeant(held.connection)) held.drop();
    }
  }

  #forget(held: Held): void {
    clearTimeout(held.timer);
    held.connection.socket.off("data", held.drop).off("close", held.drop);
    this.#all.delete(held);
    const list = this.#byKey.get(held.key);
    if (!list) return;
    const at = list.indexOf(held);
    if (at >= 0) list.splice(at, 1);
    if (list.length === 0) this.#byKey.delete(held.key);
  }
}
