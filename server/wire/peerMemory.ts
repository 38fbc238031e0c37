import type { PeerCertificate } from "./peerCertificate";

/** A TLS session with the certificate of the peer it was made with. */
export interface ResumableSession {
  ticket: Buffer;
  certificate: PeerCertificate;
}

/** What is remembered of a peer between connections. */
export interface PeerFacts {
  /** The newest TLS session, to resume. */
  session?: ResumableSession;
  /** Whether the last connection negotiated func/1. */
  native?: boolean;
}

/** Sessions of some 3 KB each: 10,000 peers are 30 MB. */
const MAX_PEERS = 10_000;

/** Facts of peers by their key; the longest unused go first. */
export class PeerMemory {
  readonly #facts = new Map<string, PeerFacts>();

  get(key: string): PeerFacts {
    const facts = this.#facts.get(key) ?? {};
    this.#facts.delete(key);
    this.#facts.set(key, facts);
    const [oldest] = this.#facts.keys();
    if (this.#facts.size > MAX_PEERS && oldest !== undefined) this.#facts.delete(oldest);
    return facts;
  }

  peek(key: string): PeerFacts | undefined {
    return this.#facts.get(key);
  }

  clear(): void {
    this.#facts.clear();
  }
}
