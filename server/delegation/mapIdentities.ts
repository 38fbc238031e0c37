import { link, rename, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { writeFileAtomic } from "../common/atomicFile";
import { FuncError, messageOf } from "../common/errors";
import { SerialQueue } from "../common/serialQueue";
import { MAX_MAP_NODES, nameKey, pathKey } from "./delegationMap";
import { formatIdentities, parseIdentities, type HostIdentity } from "./identitiesText";
import { changedByTellings, type HopTelling } from "./hopTellings";
import { SeenHosts, type SeenBehind } from "./seenHosts";
import { readVersioned, type VersionedFile } from "./versionedFile";

const MAX_BYTES = 400_000_000;
/** Of the time, writing takes a tenth at most: hosts that are seen for the first time come in crowds, each save writes all. */
const PAUSE_PER_WRITING = 9;
const LONGEST_PAUSE_MS = 1_000;

/** What a sighting of a host's key came to. */
export type KeySight = "first" | "known" | "other";

/**
 * `<data>/map.identities.yaml`: which key each host of the map has shown, by its path from the top. A person may
 * remove a line, so that the key is learnt anew. Of a damaged file the whole lines count, and the problem is told.
 */
export class MapIdentities {
  /** Changes with each change of what is known. */
  version = 0;
  problem: FuncError | undefined;
  private known = new Map<string, HostIdentity>();
  /** By key, once somebody has asked: a path whose key has changed since may still be in it. */
  private paths: Map<string, string[][]> | undefined;
  private behind: { version: number; hosts: SeenHosts } | undefined;
  private seen: string | undefined;
  private lookedAtMs = -Infinity;
  private loading: Promise<void> | undefined;
  /** Paths of which the file has nothing, or something older. */
  private unsaved = new Set<string>();
  /** No save writes before. */
  private restUntilMs = -Infinity;
  private readonly saves = new SerialQueue();

  constructor(private readonly file: string) {}

  /** Reads the file where it has changed, unless it was looked at within `knownMs`. Never throws: `problem` tells. */
  async load(knownMs = 0): Promise<void> {
    if (!this.loading && performance.now() - this.lookedAtMs < knownMs) return;
    this.loading ??= this.loadOnce().finally(() => {
      this.loading = undefined;
    });
    await this.loading;
  }

  /** hex SHA-256 of the key of the host at the path; undefined where it was never seen. After `load`. */
  keyOf(path: readonly string[]): string | undefined {
    return this.known.get(pathKey(path))?.key;
  }

  /** Undefined where nobody has noted it. After `load`. */
  find(path: readonly string[]): HostIdentity | undefined {
    return this.known.get(pathKey(path));
  }

  /** All that are noted. After `load`. */
  list(): Iterable<HostIdentity> {
    return this.known.values();
  }

  /** Who was seen behind the hop at the path, but those that are gone. After `load`. */
  seenBehind(path: readonly string[]): SeenBehind {
    if (this.behind?.version !== this.version) {
      this.behind = { version: this.version, hosts: new SeenHosts(this.known.values()) };
    }
    return this.behind.hosts.behind(path);
  }

  /** All places below some hop where a host of this name has shown a key, also those where it is gone. After `load`. */
  placesOf(name: string): HostIdentity[] {
    const key = nameKey(name);
    return [...this.known.values()].filter(
      ({ path }) => path.length > 1 && nameKey(path.at(-1) ?? "") === key,
    );
  }

  /**
   * Notes what hops have told of those behind them, and who is gone by that: such a host keeps its key, so that it
   * cannot come back with another one unnoticed. `save` makes it durable. After `load`.
   */
  told(tellings: readonly HopTelling[], atMs: number): void {
    for (const changed of changedByTellings(this.known.values(), tellings, atMs)) this.put(changed);
  }

  /**
   * Notes a key where none is known; "other" where it is not the known one, which stays. `save` makes it durable.
   * After `load`.
   */
  saw(path: readonly string[], key: string, native: boolean): KeySight {
    const known = this.find(path);
    if (known) {
      if (known.key !== key) return "other";
      // of one that was away when it was first told of, nobody knew
      if (native && !known.native) this.put({ ...known, native });
      return "known";
    }
    this.put({ path: [...path], key, native, firstSeenMs: Date.now() });
    return "first";
  }

  /** Takes the key as the host's from now on, whatever was known. After `load`. */
  replace(path: readonly string[], key: string, native: boolean): void {
    const known = this.find(path);
    if (known?.key === key && known.native === native) return;
    const told = known?.told && { told: known.told };
    this.put({ path: [...path], key, native, firstSeenMs: Date.now(), ...told });
  }

  /** Takes `to` as the key of the host that has had `from`, over all paths to it. After `load`. */
  succeed(from: string, to: string): void {
    if (!this.paths) {
      this.paths = new Map();
      for (const identity of this.known.values()) this.index(identity);
    }
    const paths = this.paths.get(from) ?? [];
    this.paths.delete(from);
    for (const path of paths) if (this.keyOf(path) === from) this.replace(path, to, true);
  }

  /** Writes what is not written yet, beside what somebody else has changed in the file. Throws FuncError "unavailable". */
  save(): Promise<void> {
    return this.saves.run(async () => {
      const restMs = this.restUntilMs - performance.now();
      if (this.unsaved.size > 0 && restMs > 0) await sleep(restMs);
      if (this.unsaved.size > 0) await this.adopt();
      if (this.unsaved.size > 0) await this.write();
    });
  }

  private async write(): Promise<void> {
    if (this.seen === undefined && this.problem) {
      // what stands in it must not be learnt anew because it could not be opened once
      throw new FuncError(
        "unavailable",
        `${this.problem.message} What was learnt since is not written.`,
        this.wayOut(),
      );
    }
    const { unsaved } = this;
    this.unsaved = new Set();
    const sinceMs = performance.now();
    try {
      if (this.problem) await keepAside(this.file);
      await writeFileAtomic(this.file, formatIdentities(this.known.values()));
      this.seen = (await this.read(false))?.version;
      this.problem = undefined;
    } catch (error) {
      for (const key of unsaved) this.unsaved.add(key);
      throw new FuncError(
        "unavailable",
        `${this.file} cannot be written: ${messageOf(error)}`,
        "The keys are known until the overlord ends. Look at the disk.",
      );
    } finally {
      const nowMs = performance.now();
      const pauseMs = PAUSE_PER_WRITING * (nowMs - sinceMs);
      this.restUntilMs = nowMs + Math.min(LONGEST_PAUSE_MS, pauseMs);
    }
  }

  private put(identity: HostIdentity): void {
    const key = pathKey(identity.path);
    if (!this.known.has(key) && this.known.size >= MAX_MAP_NODES) {
      const [oldest] = this.known.keys();
      if (oldest !== undefined) this.known.delete(oldest);
    }
    const isOther = this.known.get(key)?.key !== identity.key;
    this.known.set(key, identity);
    if (isOther) this.index(identity);
    this.unsaved.add(key);
    this.version++;
  }

  private index({ path, key }: HostIdentity): void {
    if (!this.paths) return;
    const paths = this.paths.get(key);
    if (paths) paths.push(path);
    else this.paths.set(key, [path]);
  }

  private async loadOnce(): Promise<void> {
    this.lookedAtMs = performance.now();
    if (this.unsaved.size > 0) await this.save().catch(() => undefined);
    await this.saves.run(() => this.adopt());
  }

  /** Takes what the file has where it has changed, but what is not written yet. Never throws: `problem` tells. */
  private async adopt(): Promise<void> {
    try {
      const version = (await this.read(false))?.version ?? "";
      if (version === this.seen) return;
      const read = await this.read(true);
      const { identities, problem } = parseIdentities(read?.content, this.file);
      const known = new Map(identities.map((one) => [pathKey(one.path), one]));
      for (const key of this.unsaved) {
        const learnt = this.known.get(key);
        // without the file every key was a first one
        if (learnt && (this.seen !== undefined || !known.has(key))) known.set(key, learnt);
      }
      this.known = known;
      this.paths = undefined;
      this.seen = read?.version ?? "";
      this.problem = problem;
      this.version++;
    } catch (error) {
      const problem = `${this.file} cannot be read: ${messageOf(error)}`;
      this.problem = error instanceof FuncError ? error : new FuncError("bad-data", problem);
    }
  }

  private read(whole: boolean): Promise<VersionedFile | undefined> {
    return readVersioned(this.file, { whole, maxBytes: MAX_BYTES, nextStep: this.wayOut() });
  }

  private wayOut(): string {
    return `Make ${this.file} readable, or remove it to learn all keys anew.`;
  }
}

/** Also in its place, for whoever is killed before there is another one. Never throws. */
async function keepAside(file: string): Promise<void> {
  const aside = `${file}.damaged`;
  try {
    await rm(aside, { force: true });
    await link(file, aside);
  } catch {
    // a folder, or a file system without links
    await rename(file, aside).catch(() => undefined);
  }
}
