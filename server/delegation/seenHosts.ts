import { pathKey } from "./delegationMap";
import type { HostIdentity } from "./identitiesText";

/** Who was seen behind a hop. */
export interface SeenBehind {
  /** At any depth. */
  hosts: number;
  /** Those directly behind it that have shown keys. */
  direct: readonly HostIdentity[];
  /** When the hop told of them last; undefined where that is not on record. */
  atMs?: number;
}

const NOBODY: SeenBehind = { hosts: 0, direct: [] };

/** The hosts on record by the hop that they stand behind, but those that are gone. */
export class SeenHosts {
  private readonly hops = new Map<string, Hop>();

  constructor(identities: Iterable<HostIdentity>) {
    for (const identity of identities) {
      const { path, told, goneSinceMs } = identity;
      if (goneSinceMs !== undefined) continue;
      const key = pathKey(path);
      if (told) Object.assign(this.hop(key), { told: told.hosts, atMs: told.atMs });
      let above = parentOf(key);
      if (above !== "") this.hop(above).direct.push(identity);
      for (; above !== ""; above = parentOf(above)) this.hop(above).keys++;
    }
  }

  behind(path: readonly string[]): SeenBehind {
    const hop = this.hops.get(pathKey(path));
    if (!hop) return NOBODY;
    const { keys, told, direct, atMs } = hop;
    // hosts behind one of the original show no keys
    return { hosts: Math.max(keys, told), direct, ...(atMs !== undefined && { atMs }) };
  }

  private hop(key: string): Hop {
    const known = this.hops.get(key);
    if (known) return known;
    const hop: Hop = { keys: 0, told: 0, direct: [] };
    this.hops.set(key, hop);
    return hop;
  }
}

interface Hop {
  keys: number;
  told: number;
  direct: HostIdentity[];
  atMs?: number;
}

function parentOf(key: string): string {
  return key.slice(0, Math.max(0, key.lastIndexOf("\n")));
}
