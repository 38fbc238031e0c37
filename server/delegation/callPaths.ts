import { FuncError } from "../common/errors";
import { nameKey, walkMap, type MapNode } from "./delegationMap";

/** A host as the search sees it, wherever in the map it stands. */
interface Host {
  /** As its first place names it. */
  name: string;
  /** The SHA-256 of its key, where the map's identities have it. */
  identity: string | undefined;
  /** Through whom it is reached on a shortest path; undefined for those directly below. */
  via: Host | undefined;
  /** How many hops away; 0 before the search came to it. */
  distance: number;
  next: Set<Host>;
}

/** A host of a map, with the way to it. */
export interface HostOnPath {
  /** Its own, or "name@the one before it" where several have that; where that is not enough, "name@the/whole/way". */
  name: string;
  /** The names of the hosts to go through, the last being the host itself. */
  path: string[];
  /** The SHA-256 of its key, where it is known. */
  identity?: string;
}

/** The identity of a host by the names of those above it and its own; undefined where nobody has noted it. */
export type IdentityOf = (path: readonly string[]) => string | undefined;

/**
 * The shortest way to each host of a map, found in one breadth-first pass. The same host at several places is
 * one host: it is reached by its shortest path, of equally long ones by that which stands first in the map. Hosts
 * are the same where their names are, unless the map's identities know several keys of that name.
 */
export class CallPaths {
  private readonly hosts = new Map<string, Host>();
  /** All hosts of one name; more than one only where identities differ. */
  private readonly byName = new Map<string, Host[]>();
  /** How many of those have the same name before them as well. */
  private readonly twins = new Map<string, number>();

  constructor(map: readonly MapNode[], identityOf?: IdentityOf) {
    const first = identityOf ? this.joinIdentified(map, identityOf) : this.join(map);
    search(first);
    for (const host of this.hosts.values()) {
      const key = nameKey(host.name);
      const known = this.byName.get(key);
      if (known) known.push(host);
      else this.byName.set(key, [host]);
    }
    for (const named of this.byName.values()) {
      if (named.length < 2) continue;
      for (const host of named) {
        const name = nameWithHop(host);
        this.twins.set(name, (this.twins.get(name) ?? 0) + 1);
      }
    }
  }

  /** The names for calls of all hosts, nearest first. */
  names(): string[] {
    return this.nearestFirst().map((host) => this.targetName(host));
  }

  /** All hosts, nearest first. */
  list(): HostOnPath[] {
    return this.nearestFirst().map((host) => {
      const { identity } = host;
      const name = this.targetName(host);
      return { name, path: pathOf(host), ...(identity !== undefined && { identity }) };
    });
  }

  /** The names for calls of all hosts that the name may mean. */
  namesFor(name: string): string[] {
    return this.find(name).map((host) => this.targetName(host));
  }

  has(name: string): boolean {
    return this.find(name).length > 0;
  }

  /**
   * The names of the hosts to go through, the last being the host itself; undefined where the map does not have it.
   * Throws FuncError "conflict" where the name means several hosts.
   */
  pathTo(name: string): string[] | undefined {
    const [host, ...others] = this.find(name);
    if (!host) return undefined;
    if (others.length > 0) {
      const all = this.namesFor(name).join(" and ");
      throw new FuncError(
        "conflict",
        `"${name}" are ${others.length + 1} different hosts in the map: ${all}.`,
        "Name one of them so.",
      );
    }
    return pathOf(host);
  }

  /** As pathTo; undefined also where the name means several hosts. */
  onlyPathTo(name: string): string[] | undefined {
    const [host, ...others] = this.find(name);
    return host && others.length === 0 ? pathOf(host) : undefined;
  }

  /** To each host that the name means: first to the one of this identity, then nearest first. */
  *pathsTo(name: string, identity?: string): Generator<string[]> {
    const hosts = this.find(name);
    const same =
      identity === undefined ? undefined : hosts.find((host) => host.identity === identity);
    if (same) yield pathOf(same);
    for (const host of [...hosts].sort((a, b) => a.distance - b.distance)) {
      if (host !== same) yield pathOf(host);
    }
  }

  private find(name: string): Host[] {
    const key = nameKey(name);
    const exact = this.byName.get(key);
    if (exact) return exact;
    const at = key.lastIndexOf("@");
    if (at <= 0) return [];
    const overlord = key.slice(at + 1);
    const named = this.byName.get(key.slice(0, at)) ?? [];
    const isMeant = overlord.includes("/")
      ? (via: Host): boolean => nameKey(pathOf(via).join("/")) === overlord
      : (via: Host): boolean => nameKey(via.name) === overlord;
    return named.filter(({ via }) => via !== undefined && isMeant(via));
  }

  private nearestFirst(): Host[] {
    return [...this.hosts.values()].sort((a, b) => a.distance - b.distance);
  }

  private targetName(host: Host): string {
    const { name, via } = host;
    const several = (this.byName.get(nameKey(name))?.length ?? 0) > 1;
    if (!several || !via) return name;
    const isEnough = (this.twins.get(nameWithHop(host)) ?? 0) < 2;
    return isEnough ? `${name}@${via.name}` : `${name}@${pathOf(via).join("/")}`;
  }

  /** Without identities a name is a host. */
  private join(map: readonly MapNode[]): Host[] {
    for (const { node } of walkMap(map)) {
      const host = this.host(nameKey(node.name), node.name, undefined);
      for (const child of node.children) {
        host.next.add(this.host(nameKey(child.name), child.name, undefined));
      }
    }
    return map.map(({ name }) => this.host(nameKey(name), name, undefined));
  }

  /** Where only one identity of a name is known, places where it is not are taken for the same host. */
  private joinIdentified(map: readonly MapNode[], identityOf: IdentityOf): Host[] {
    const known = new Map<string, Set<string>>();
    const places: { name: string; identity: string | undefined; from: number }[] = [];
    let level = map.map((node) => ({ node, path: [node.name], from: -1 }));
    while (level.length > 0) {
      level = level.flatMap(({ node, path, from }) => {
        const identity = identityOf(path);
        const place = places.push({ name: node.name, identity, from }) - 1;
        if (identity !== undefined) {
          const key = nameKey(node.name);
          known.set(key, (known.get(key) ?? new Set()).add(identity));
        }
        return node.children.map((child) => ({
          node: child,
          path: [...path, child.name],
          from: place,
        }));
      });
    }
    const hosts = places.map(({ name, identity }) => {
      const key = nameKey(name);
      const [first, ...others] = known.get(key) ?? [];
      if (others.length === 0) return this.host(key, name, first);
      return this.host(`${key} ${identity ?? ""}`, name, identity);
    });
    const top: Host[] = [];
    places.forEach(({ from }, index) => {
      const host = hosts[index];
      if (!host) return;
      if (from < 0) top.push(host);
      else hosts[from]?.next.add(host);
    });
    return top;
  }

  private host(key: string, name: string, identity: string | undefined): Host {
    const known = this.hosts.get(key);
    if (known) return known;
    const host = { name, identity, via: undefined, distance: 0, next: new Set<Host>() };
    this.hosts.set(key, host);
    return host;
  }
}

/** Gives each host the one before it on its shortest path. */
function search(first: readonly Host[]): void {
  let level = [...new Set(first)];
  for (const host of level) host.distance = 1;
  for (let distance = 2; level.length > 0; distance++) {
    const reached: Host[] = [];
    for (const via of level) {
      for (const host of via.next) {
        if (host.distance > 0) continue;
        Object.assign(host, { via, distance });
        reached.push(host);
      }
    }
    level = reached;
  }
}

function nameWithHop({ name, via }: Host): string {
  return nameKey(via ? `${name}@${via.name}` : name);
}

function pathOf(host: Host): string[] {
  const path: string[] = [];
  for (let at: Host | undefined = host; at; at = at.via) path.unshift(at.name);
  return path;
}
