import { SerialQueue } from "../../common/serialQueue";
import type { Role } from "../certificates/identity";
import {
  digestOfList,
  missingIn,
  type RevocationList,
  type RevokedCertificate,
} from "../documents/revocationList";
import {
  readRevoked,
  writeRevoked,
  type Revocations,
  type RevokedRecord,
  type SignList,
} from "./revokedFile";

/** Objects of the same file share a queue; a process has few of them. */
const queues = new Map<string, SerialQueue>();

/** What a CA has revoked: `revoked.json`, and by key in memory. */
export class RevocationBook {
  #state: Revocations;
  #byKey = new Map<string, RevokedRecord>();
  #counts = new Map<string, number>();
  #digest: string | undefined;

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

  /** As `digestOfList`: asked for each minion, so made once. */
  get digest(): string {
    return (this.#digest ??= digestOfList(this.#state));
  }

  /** Of the last revocation; 0 before the first. */
  get lastMs(): number {
    return this.#state.revoked.reduce((last, { atMs }) => Math.max(last, atMs), 0);
  }

  /** The first revocation of this key (hex SHA-256), if there is one. */
  find(keyFingerprint: string): RevokedRecord | undefined {
    return this.#byKey.get(keyFingerprint);
  }

  /** How many keys of this name are revoked. */
  countOf(role: Role, name: string): number {
    return this.#counts.get(`${role}:${name}`) ?? 0;
  }

  /** What another list of this CA revokes that is not noted here; `after` for `add`, where its number is in the way. */
  compare(list: RevocationList): { forgotten: RevokedCertificate[]; after: number } {
    const { number, revoked } = this.#state;
    const isOther = number === list.number && digestOfList(list) !== this.digest;
    return {
      forgotten: missingIn({ number, issuedAtMs: Date.now(), revoked }, list),
      after: list.number > number || isOther ? list.number : 0,
    };
  }

  /**
   * Notes more revocations, under the next number; durable when it returns. `after`: a number that the present
   * one must be higher than, or the next one is. Nothing where all are noted already.
   */
  async add(records: readonly RevokedRecord[], after = 0): Promise<void> {
    await queueOf(this.path).run(async () => {
      // another object may have written the file
      const before = (await readRevoked(this.path)) ?? this.#state;
      const known = new Set(before.revoked.map(idOf));
      const added = records.filter((record) => !known.has(idOf(record)));
      if (added.length > 0 || (after > 0 && after >= before.number)) {
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
    this.#digest = undefined;
    this.#byKey = new Map(this.#state.revoked.toReversed().map((one) => [one.keyFingerprint, one]));
    this.#counts = new Map();
    for (const { role, name } of this.#byKey.values()) {
      this.#counts.set(`${role}:${name}`, this.countOf(role, name) + 1);
    }
  }
}

function idOf({ serial, keyFingerprint }: RevokedRecord): string {
  return `${serial} ${keyFingerprint}`;
}

function queueOf(path: string): SerialQueue {
  const queue = queues.get(path) ?? new SerialQueue();
  queues.set(path, queue);
  return queue;
}
