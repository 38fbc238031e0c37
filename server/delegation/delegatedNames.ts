import { minionGlob } from "../jobs/minionGlob";
import { fnmatch } from "../targets/fnmatch";
import type { MinionBehind } from "../jobs/engine/minionsBehind";
import type { Inventory } from "../targets/inventory";
import type { HostNames } from "../targets/targetSpec";
import type { CallPaths } from "./callPaths";
import { nameKey, pathKey, type MapNode } from "./delegationMap";
import type { DelegationMap } from "./delegationMaps";
import type { MapIdentities } from "./mapIdentities";

/** What tells who stands where. */
export interface NameSources {
  map: Pick<DelegationMap, "nodes" | "paths">;
  identities: Pick<MapIdentities, "keyOf">;
  inventory: Pick<Inventory, "find" | "list">;
}

/** Of large maps, which stay the same over many calls. */
const namesOf = new WeakMap<CallPaths, { own: string; names: DelegatedNames }>();

/** The names by a map and the inventory as they are now. After `identities.load`. */
export function delegatedNames(sources: NameSources): DelegatedNames {
  const { map, inventory } = sources;
  const minions = inventory.list().map(({ name, keyFingerprint }) => `${name} ${keyFingerprint}`);
  const own = minions.join("\n");
  // a map has other paths where the identities are others
  const known = namesOf.get(map.paths);
  if (known?.own === own) return known.names;
  const names = new DelegatedNames(sources);
  namesOf.set(map.paths, { own, names });
  return names;
}

/**
 * The names of all that a delegated call may mean. "web1@mid1" and "web*@mid1/mid3" mean those behind that
 * sub-overlord, by the one next to them or by the whole way, as they do where jobs are looked for.
 */
class DelegatedNames implements HostNames {
  readonly all: readonly string[];
  /** Those behind sub-overlords, by the names that target expressions have for them, in lower case. */
  readonly behind: ReadonlyMap<string, MinionBehind>;
  private readonly own: ReadonlySet<string>;
  private readonly known: ReadonlySet<string>;
  private readonly byPath = new Map<string, string>();

  constructor(private readonly sources: NameSources) {
    this.behind = hostsBehind(sources);
    this.own = new Set(sources.inventory.list().map(({ name }) => name));
    this.all = [...this.own, ...this.behind.keys()];
    this.known = new Set(this.all);
    for (const { name, path } of this.behind.values()) this.byPath.set(pathKey(path), name);
  }

  /** Throws FuncError "conflict" for a name that several hosts of the map have. */
  one(name: string): string | undefined {
    const key = nameKey(name.trim());
    if (this.known.has(key)) return key;
    const path = this.sources.map.paths.pathTo(key);
    if (!path || !key.includes("@")) return undefined;
    const own = nameKey(path.at(-1) ?? "");
    return this.byPath.get(pathKey(path)) ?? (this.own.has(own) ? own : undefined);
  }

  /** By the ways that calls take; who is left out may have another place there, or the whole of its name may fit. */
  many(glob: string, excluding: boolean): string[] {
    const { means } = minionGlob(glob);
    const meant = this.all.filter((name) => means(this.behind.get(name) ?? { name }));
    if (!excluding || glob.lastIndexOf("@") <= 0) return meant;
    // an "@" can stand for a part of the name itself: rather one too many is left out than called
    const named = this.all.filter(fnmatch(glob));
    return [...new Set([...meant, ...named, ...this.withPlaces(means)])];
  }

  /** Who stands at some place of the map that is meant, whatever way calls take. */
  private withPlaces(means: ReturnType<typeof minionGlob>["means"]): string[] {
    const { map, identities, inventory } = this.sources;
    const paths = placesOf(map.nodes).filter((path) => means({ name: path.at(-1) ?? "", path }));
    if (paths.length === 0) return [];
    const named = new Map<string, { name: string; identity: string | undefined }[]>();
    const add = (own: string, name: string, identity: string | undefined): void => {
      named.set(own, [...(named.get(own) ?? []), { name, identity }]);
    };
    for (const name of this.own) add(name, name, inventory.find(name)?.keyFingerprint);
    for (const { name, path, identity } of this.behind.values()) {
      add(path.at(-1) ?? "", name, identity);
    }
    return paths.flatMap((path) => {
      const key = identities.keyOf(path);
      const hosts = named.get(nameKey(path.at(-1) ?? "")) ?? [];
      const same = hosts.filter(
        ({ identity }) => identity === key || identity === undefined || key === undefined,
      );
      return same.map(({ name }) => name);
    });
  }
}

/** Who is a minion of this overlord is called directly, whatever the map says. */
function hostsBehind({ map, identities, inventory }: NameSources): Map<string, MinionBehind> {
  const hosts = new Map<string, MinionBehind>();
  for (const { name: targetName, path: given } of map.paths.list()) {
    const path = given.map(nameKey);
    const own = path.at(-1) ?? "";
    if (path.length < 2) continue;
    const identity = identities.keyOf(path);
    const direct = inventory.find(own);
    const isOther = identity !== undefined && direct && direct.keyFingerprint !== identity;
    if (direct && !isOther) continue;
    const called = nameKey(targetName);
    const name = isOther && called === own ? `${own}@${path.at(-2) ?? ""}` : called;
    hosts.set(name, { name, path, ...(identity !== undefined && { identity }) });
  }
  return hosts;
}

function placesOf(nodes: readonly MapNode[], above: readonly string[] = []): string[][] {
  return nodes.flatMap(({ name, children }) => {
    const path = [...above, name];
    return [path, ...placesOf(children, path)];
  });
}
