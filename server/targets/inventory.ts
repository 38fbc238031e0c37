import { isIP } from "node:net";
import { FuncError, messageOf } from "../common/errors";
import type { Log } from "../common/log";
import { isMinionName, parseMinionName } from "../common/minionName";
import type { MinionRecord, MinionsChanged, RenewedCertificate } from "../protocol/minions";
import { readInventory, writeInventory } from "./inventoryFile";
import { nearestNames } from "./nearestNames";
import { matchTargets, type Groups, type TargetSpec } from "./targetSpec";

/** When a minion was last seen is worth keeping, but not a write per call. */
const WRITE_SOON_MS = 2_000;
/** Changes that come together are told together. */
const CHANGED_MS = 40;
/** A busy minion's last seen is told to clients at most this often. */
const LAST_SEEN_TELL_MS = 5_000;

/** All minions this overlord knows, kept in one file. Only the overlord process may open it. */
export class Inventory {
  private readonly records = new Map<string, MinionRecord>();
  private readonly listeners = new Set<(changes: MinionsChanged) => void>();
  private readonly changed = new Set<string>();
  /** Keys that minions had before their certificates were renewed: calls that began then may still run. */
  private readonly formerKeys = new Map<string, Set<string>>();
  private readonly toldSeenMs = new Map<string, number>();
  private changedTimer: NodeJS.Timeout | undefined;
  private writeTimer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();

  private constructor(
    private readonly file: string,
    private readonly log: Log,
  ) {}

  /** Throws FuncError "bad-data" where the file is damaged. */
  static async open(file: string, log: Log): Promise<Inventory> {
    const inventory = new Inventory(file, log);
    for (const record of await readInventory(file)) inventory.records.set(record.name, record);
    return inventory;
  }

  get size(): number {
    return this.records.size;
  }

  /** Sorted by name. */
  list(): MinionRecord[] {
    return [...this.records.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  find(name: string): MinionRecord | undefined {
    return this.records.get(name.toLowerCase());
  }

  /** Throws FuncError "not-found" with the nearest names. */
  get(name: string): MinionRecord {
    const record = this.find(name);
    if (record) return record;
    const nearest = nearestNames(name, [...this.records.keys()]);
    throw new FuncError(
      "not-found",
      `There is no minion "${name.slice(0, 100)}".${nearest.length > 0 ? ` Did you mean ${nearest.join(", ")}?` : ""}`,
    );
  }

  /** See matchTargets. */
  match(targets: TargetSpec, groups?: Groups): MinionRecord[] {
    const names = matchTargets(targets, [...this.records.keys()], groups);
    return names.flatMap((name) => this.find(name) ?? []);
  }

  /** Adds a minion, or replaces the one of that name; durable when it returns. */
  async add(record: MinionRecord): Promise<void> {
    const name = parseMinionName(record.name);
    this.formerKeys.delete(name);
    this.put({ ...record, name });
    await this.write();
  }

  /** Changes where a minion is reached. Throws FuncError "not-found" or "bad-argument". */
  async edit(name: string, change: { address?: string; port?: number }): Promise<MinionRecord> {
    const record = this.get(name);
    const address = change.address === undefined ? record.address : parseAddress(change.address);
    const port = change.port ?? record.port;
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new FuncError(
        "bad-argument",
        `port must be a whole number from 1 to 65535, not ${port}.`,
      );
    }
    const edited: MinionRecord = { ...record, address, port, state: "unknown", problem: undefined };
    this.put(edited);
    await this.write();
    return edited;
  }

  /**
   * The minion may show this certificate from now on, besides the one it had; durable when it returns.
   * Throws FuncError "conflict" where `minion` is not the one in the inventory any more.
   */
  async expectCertificate(minion: MinionRecord, next: RenewedCertificate): Promise<void> {
    const record = this.get(minion.name);
    if (record.enrolledAtMs !== minion.enrolledAtMs) {
      throw new FuncError("conflict", `${minion.name} was enrolled anew meanwhile.`);
    }
    this.put({ ...record, renewing: next });
    await this.write();
  }

  /** The minion showed this key: where it is the one of its next certificate, that is its certificate now. */
  sawKey(name: string, keyFingerprint: string): void {
    const record = this.records.get(name);
    if (record?.renewing?.keyFingerprint !== keyFingerprint) return;
    const former = this.formerKeys.get(name) ?? new Set();
    this.formerKeys.set(name, former.add(record.keyFingerprint));
    this.put({ ...record, ...record.renewing, renewing: undefined });
    this.writeSoon();
  }

  /** The keys that the minion may show besides the one it is, or was, known by. */
  successorsOf(peer: { name: string; keyFingerprint?: string }): readonly string[] {
    const record = this.records.get(peer.name);
    if (!record || peer.keyFingerprint === undefined) return [];
    const { keyFingerprint, renewing } = record;
    const isFormer = this.formerKeys.get(peer.name)?.has(peer.keyFingerprint) === true;
    if (isFormer) return renewing ? [keyFingerprint, renewing.keyFingerprint] : [keyFingerprint];
    return renewing && peer.keyFingerprint === keyFingerprint ? [renewing.keyFingerprint] : [];
  }

  /** Takes minions out; returns the names that were there. */
  async forget(names: string[]): Promise<string[]> {
    const forgotten = names.map((name) => name.toLowerCase()).filter((name) => this.remove(name));
    if (forgotten.length > 0) await this.write();
    return forgotten;
  }

  /** The minion answered just now, with whatever. */
  sawOnline(name: string): void {
    const record = this.records.get(name);
    if (!record) return;
    const now = Date.now();
    const was = record.state;
    this.records.set(name, { ...record, state: "online", problem: undefined, lastSeenMs: now });
    if (was !== "online" || now - (this.toldSeenMs.get(name) ?? 0) > LAST_SEEN_TELL_MS) {
      this.toldSeenMs.set(name, now);
      this.tell(name);
    }
    this.writeSoon();
  }

  /** The minion could not be reached; `problem` is one sentence. */
  sawUnreachable(name: string, problem: string): void {
    const record = this.records.get(name);
    if (!record || (record.state === "unreachable" && record.problem === problem)) return;
    this.put({ ...record, state: "unreachable", problem });
  }

  onChanged(listener: (changes: MinionsChanged) => void): { dispose(): void } {
    this.listeners.add(listener);
    return { dispose: () => void this.listeners.delete(listener) };
  }

  /** Writes what is not written yet. */
  async close(): Promise<void> {
    clearTimeout(this.changedTimer);
    if (this.writeTimer) await this.write();
    await this.writing;
  }

  private put(record: MinionRecord): void {
    this.records.set(record.name, record);
    this.tell(record.name);
  }

  private remove(name: string): boolean {
    const there = this.records.delete(name);
    this.toldSeenMs.delete(name);
    this.formerKeys.delete(name);
    if (there) this.tell(name);
    return there;
  }

  private tell(name: string): void {
    this.changed.add(name);
    this.changedTimer ??= setTimeout(() => {
      this.changedTimer = undefined;
      const names = [...this.changed];
      this.changed.clear();
      const changed = names.flatMap((changedName) => this.records.get(changedName) ?? []);
      const removed = names.filter((changedName) => !this.records.has(changedName));
      for (const listener of this.listeners) listener({ changed, removed });
    }, CHANGED_MS);
  }

  private writeSoon(): void {
    this.writeTimer ??= setTimeout(() => {
      this.write().catch((error: unknown) => {
        this.log.error("cannot write the inventory", { file: this.file, error: messageOf(error) });
      });
    }, WRITE_SOON_MS);
  }

  private async write(): Promise<void> {
    clearTimeout(this.writeTimer);
    this.writeTimer = undefined;
    const previous = this.writing;
    const next = (async () => {
      await previous.catch(() => undefined); // its own caller was told
      await writeInventory(this.file, this.records.values());
    })();
    this.writing = next.catch(() => undefined);
    await next;
  }
}

/** An IP address or a host name, in lower case. Throws FuncError "bad-argument". */
export function parseAddress(address: string): string {
  const text = address.trim().toLowerCase();
  if (isIP(text) !== 0 || isMinionName(text)) return text;
  throw new FuncError(
    "bad-argument",
    `address must be an IP address or a host name, not "${address.slice(0, 100)}".`,
  );
}
