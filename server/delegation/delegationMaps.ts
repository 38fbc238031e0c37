import { isAbsolute, join } from "node:path";
import { FuncError } from "../common/errors";
import { CallPaths } from "./callPaths";
import type { MapNode } from "./delegationMap";
import { removeHalfWritten } from "./halfWritten";
import { MapFile, type CurrentMap } from "./mapFile";
import { MapIdentities } from "./mapIdentities";

/** Maps beside `<data>/map` that are kept in memory; a further one takes the place of the one longest unused. */
const MAX_OTHERS = 4;

/** A map to delegate by, with its call paths. */
export interface DelegationMap {
  file: string;
  nodes: readonly MapNode[];
  paths: CallPaths;
  /** Point in time of the file's last change. */
  changedAtMs: number;
  /** Why the file itself cannot be used: all else is the last good map. */
  problem?: FuncError;
}

interface Entry {
  file: MapFile;
  paths?: { of: readonly MapNode[]; identities: number; paths: CallPaths };
  /** What was told last. */
  told?: string;
}

/** The maps of an overlord: `<data>/map`, and other files that calls name. */
export class DelegationMaps {
  /** Of all hosts of all maps: where a host stands does not depend on the map that tells it. */
  readonly identities: MapIdentities;
  /** `<data>/map`. */
  readonly own: MapFile;
  private readonly entries = new Map<string, Entry>();
  private readonly listeners = new Set<() => void>();

  private readonly identitiesFile: string;

  constructor(dataDirectory: string) {
    this.identitiesFile = join(dataDirectory, "map.identities.yaml");
    this.identities = new MapIdentities(this.identitiesFile);
    this.own = new MapFile(join(dataDirectory, "map"), join(dataDirectory, "map.good"));
    this.entries.set(this.own.file, { file: this.own });
  }

  /** Calls the listener when `<data>/map` turns out to be another than it was. */
  onChanged(listener: () => void): void {
    this.listeners.add(listener);
  }

  /**
   * `<data>/map`, or the map at an absolute path. Throws FuncError "not-found" where there is no map, "bad-data"
   * with its place where there is no good one, "bad-argument" for a relative path.
   */
  async current(mapFile?: string): Promise<DelegationMap> {
    const entry = this.entryOf(mapFile ?? this.own.file);
    const { file } = entry.file;
    try {
      const [current] = await Promise.all([entry.file.current(), this.identities.load()]);
      this.tellChange(entry, stateOf(current));
      return {
        file,
        nodes: current.map,
        paths: this.pathsOf(entry, current.map),
        ...rest(current),
      };
    } catch (error) {
      this.tellChange(entry, error instanceof FuncError ? error.message : "");
      throw error;
    }
  }

  /** The text of a map's file. Throws as `current` does, but for what is wrong in it. */
  text(mapFile: string): Promise<string> {
    return this.entryOf(mapFile).file.text();
  }

  /** `<data>/map` was written: tells who listens. */
  async built(): Promise<void> {
    await removeHalfWritten(this.identitiesFile);
    await this.current();
    for (const listener of this.listeners) listener();
  }

  private entryOf(path: string): Entry {
    if (!isAbsolute(path)) {
      throw new FuncError("bad-argument", `The map file "${path}" has to be an absolute path.`);
    }
    const known = this.entries.get(path);
    const entry = known ?? { file: new MapFile(path) };
    this.entries.delete(path);
    this.entries.set(path, entry);
    for (const old of this.entries.keys()) {
      if (this.entries.size <= MAX_OTHERS + 1) break;
      if (old !== this.own.file) this.entries.delete(old);
    }
    return entry;
  }

  private pathsOf(entry: Entry, of: readonly MapNode[]): CallPaths {
    const identities = this.identities.version;
    const { paths: known } = entry;
    if (known?.of === of && known.identities === identities) return known.paths;
    const paths = new CallPaths(of, (path) => this.identities.keyOf(path));
    entry.paths = { of, identities, paths };
    return paths;
  }

  private tellChange(entry: Entry, state: string): void {
    const before = entry.told;
    entry.told = state;
    if (entry.file !== this.own || before === undefined || before === state) return;
    for (const listener of this.listeners) listener();
  }
}

function stateOf({ changedAtMs, problem }: CurrentMap): string {
  return `${changedAtMs} ${problem?.message ?? ""}`;
}

function rest({ changedAtMs, problem }: CurrentMap): Pick<CurrentMap, "changedAtMs" | "problem"> {
  return { changedAtMs, ...(problem && { problem }) };
}
