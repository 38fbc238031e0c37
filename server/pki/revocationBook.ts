import {
  readRevoked,
  writeRevoked,
  type Revocations,
  type RevokedRecord,
  type SignList,
} from "./revokedFile";
import { SerialQueue } from "./serialQueue";

/** Objects of the same file share a queue; a process has few of them. */
const queues = new Map<string, SerialQueue>();

/** What a CA has revoked: `revoked.json`, and by key in memory. */
export class RevocationBook {
  #state: Revocations;
  #byKey = new Map<string, RevokedRecord>();

  constructor(
    private readonly path: string,
    private readonly sign: SignList,
    state: Revocations,
  ) {
    this.#state = state;
    this.#index();
  }

  get state(): Revocations {
    return this.#state;
  }

  /** Higher with every revocation; 0 before the first. */
  get number(): number {
    return this.#state.number;
  }

  /** The first revocation of this key (hex SHA-256), if there is one. */
  find(keyFingerprint: string): RevokedRecord | undefined {
    return this.#byKey.get(keyFingerprint);
  }

  /**
   * Notes more revocations, under the next number; durable when it returns. `after`: a number that the next
   * one must be higher than. Nothing where all are noted already.
   */
  async add(records: readonly RevokedRecord[], after = 0): Promise<void> {
    await queueOf(this.path).run(async () => {
      // another object may have written the file
      const before = (await readRevoked(this.path)) ?? this.#state;
      const known = new Set(before.revoked.map(({ serial }) => serial));
      const added = records.filter(({ serial }) => !known.has(serial));
      if (added.length > 0 || after > before.number) {
        const number = Math.max(before.number, after) + 1;
        const revoked = [...before.revoked, ...added];
        this.#state = await writeRevoked(this.path, number, revoked, this.sign);
      } else {
        this.#state = before;
      }
      this.#index();
    });
  }

  /** Signs the present list anew: other CAs are trusted now. Durable when it returns. */
  async signAgain(): Promise<void> {
    await queueOf(this.path).run(async () => {
      const present = (await readRevoked(this.path)) ?? this.#state;
      if (present.number === 0) return;
      this.#state = await writeRevoked(this.path, present.number, present.revoked, this.sign);
      this.#index();
    });
  }

  #index(): void {
    this.#byKey = new Map(this.#state.revoked.toReversed().map((one) => [one.keyFingerprint, one]));
  }
}

function queueOf(path: string): SerialQueue {
  const queue = queues.get(path) ?? new SerialQueue();
  queues.set(path, queue);
  return queue;
}
