import { connect, createServer, type Server, type Socket } from "node:net";
import type { Random } from "../fuzz/random";

export interface Endpoint {
  host: string;
  port: number;
}

export interface NetworkCounts {
  connections: number;
  /** Ended in the middle of what they carried. */
  cut: number;
  heldBack: number;
  delayed: number;
  replayed: number;
}

/** So much of what a caller sent is kept, to be sent again. */
const RECORDED_BYTES = 16_384;
/** A handshake and a call are about so long. */
const CUT_WITHIN_BYTES = 12_000;
const CUT_CHANCE = 0.03;
const REPLAY_LASTS_MS = 2_000;

interface Pair {
  inner: Socket;
  outer: Socket;
  /** The first bytes of the caller. */
  sent: Buffer[];
  sentBytes: number;
}

/** The way to one minion: passes on what both say, as far as the faults of the moment let it. */
class Way {
  readonly pairs = new Set<Pair>();
  /** Nothing passes until then. */
  holeUntilMs = 0;
  delayUntilMs = 0;
  delayMs = 0;
  last: Buffer[] = [];

  constructor(
    readonly server: Server,
    readonly target: Endpoint,
  ) {}
}

/** Stands between the overlord and its minions, an address for each, and does what it is told. */
export class FaultyNetwork {
  readonly counts: NetworkCounts = { connections: 0, cut: 0, heldBack: 0, delayed: 0, replayed: 0 };
  readonly #ways = new Map<string, Way>();
  #faulty = true;

  /** `random`: numbers for the connection of this place. */
  constructor(private readonly random: (place: number) => Random) {}

  /** Opens the way to a minion. */
  async open(minion: string, at: Endpoint, target: Endpoint): Promise<void> {
    const server = createServer({ noDelay: true });
    const way = new Way(server, target);
    this.#ways.set(minion, way);
    server.on("connection", (inner) => {
      this.#accept(way, inner);
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(at.port, at.host, resolve);
    });
  }

  cut(minion: string, reset: boolean): void {
    const way = this.#way(minion);
    for (const { inner, outer } of [...way.pairs]) {
      this.counts.cut++;
      if (reset) {
        inner.resetAndDestroy();
        outer.resetAndDestroy();
      } else {
        inner.destroy();
        outer.destroy();
      }
    }
  }

  /** Nothing passes for so long, and nobody is told. */
  blackHole(minion: string, forMs: number): void {
    this.counts.heldBack++;
    this.#way(minion).holeUntilMs = Date.now() + forMs;
  }

  delay(minion: string, byMs: number, forMs: number): void {
    this.counts.delayed++;
    const way = this.#way(minion);
    way.delayMs = byMs;
    way.delayUntilMs = Date.now() + forMs;
  }

  /** Sends once more, on a new connection, what a caller sent last. */
  replay(minion: string): void {
    const way = this.#way(minion);
    if (way.last.length === 0) return;
    this.counts.replayed++;
    const socket = connect({ ...way.target });
    socket.on("error", () => socket.destroy());
    socket.resume();
    for (const piece of way.last) socket.write(piece);
    setTimeout(() => socket.destroy(), REPLAY_LASTS_MS).unref();
  }

  /** From now on all passes at once. */
  calm(): void {
    this.#faulty = false;
    for (const way of this.#ways.values()) {
      way.holeUntilMs = 0;
      way.delayUntilMs = 0;
    }
  }

  async close(): Promise<void> {
    for (const way of this.#ways.values()) {
      for (const { inner, outer } of way.pairs) {
        inner.destroy();
        outer.destroy();
      }
      await new Promise((resolve) => way.server.close(resolve));
    }
  }

  #way(minion: string): Way {
    const way = this.#ways.get(minion);
    if (!way) throw new Error(`no way to ${minion}`);
    return way;
  }

  #accept(way: Way, inner: Socket): void {
    const random = this.random(++this.counts.connections);
    const outer = connect({ ...way.target, noDelay: true });
    const pair: Pair = { inner, outer, sent: [], sentBytes: 0 };
    way.pairs.add(pair);
    const end = (): void => {
      way.pairs.delete(pair);
      if (pair.sent.length > 0) way.last = pair.sent;
      inner.destroy();
      outer.destroy();
    };
    // ended where it is, at a byte that only the seed knows
    const left = { bytes: random.chance(CUT_CHANCE) ? random.below(CUT_WITHIN_BYTES) : Infinity };
    inner.on("error", () => inner.destroy()).on("close", end);
    outer.on("error", () => outer.destroy()).on("close", end);
    this.#relay(way, inner, outer, (piece) => {
      if (pair.sentBytes < RECORDED_BYTES) pair.sent.push(piece);
      pair.sentBytes += piece.length;
      return this.#doom(left, piece, end);
    });
    this.#relay(way, outer, inner, (piece) => this.#doom(left, piece, end));
  }

  /** False where the connection ends before this piece. */
  #doom(left: { bytes: number }, piece: Buffer, end: () => void): boolean {
    if (!this.#faulty) return true;
    left.bytes -= piece.length;
    if (left.bytes >= 0) return true;
    this.counts.cut++;
    end();
    return false;
  }

  /** `pass`: whether the piece may go on. Pieces keep their order, whatever holds them back. */
  #relay(way: Way, from: Socket, to: Socket, pass: (piece: Buffer) => boolean): void {
    let before: Promise<void> | undefined;
    let waiting = 0;
    const send = (piece: Buffer): void => {
      if (!to.destroyed) to.write(piece);
    };
    from.on("data", (piece: Buffer) => {
      if (!pass(piece)) return;
      if (!before && !isSlow(way)) {
        send(piece);
        return;
      }
      waiting++;
      const turn = (before ?? Promise.resolve())
        .then(() => slowness(way, from))
        .then(() => {
          send(piece);
          if (--waiting === 0) before = undefined;
        });
      before = turn;
    });
    from.on("end", () => {
      void (before ?? Promise.resolve()).then(() => to.end());
    });
  }
}

function isSlow(way: Way): boolean {
  const now = Date.now();
  return now < way.holeUntilMs || now < way.delayUntilMs;
}

/** Settles when the piece may go on. */
async function slowness(way: Way, from: Socket): Promise<void> {
  if (Date.now() < way.delayUntilMs) await sleep(way.delayMs);
  while (Date.now() < way.holeUntilMs && !from.destroyed) await sleep(50);
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}
