import { nameKey, pathKey } from "./delegationMap";
import type { HostIdentity } from "./identitiesText";

/** What a hop that was asked has told of those behind it. */
export interface HopTelling {
  /** The hop itself last; empty for this overlord. */
  path: readonly string[];
  /** Directly behind it, also those that are away. */
  names: readonly string[];
  /** Of the original, whose answer has them all: at any depth; else directly behind it. */
  hosts: number;
  /** Hosts behind it show keys, so that one that is not told of is gone. */
  isWhole: boolean;
}

/**
 * The identities that are others by what hops have told: of hops what they told, and since when a host is gone that
 * no hop tells of any more, or that it is back. Those behind a hop that was not asked are as they were.
 */
export function changedByTellings(
  identities: Iterable<HostIdentity>,
  tellings: readonly HopTelling[],
  atMs: number,
): HostIdentity[] {
  const byPath = new Map(tellings.map((telling) => [pathKey(telling.path), telling]));
  const whole = new Map(
    tellings
      .filter(({ isWhole }) => isWhole)
      .map(({ path, names }) => [pathKey(path), new Set(names.map(nameKey))]),
  );
  const changed: HostIdentity[] = [];
  for (const identity of identities) {
    const { goneSinceMs, ...present } = identity;
    const wasGone = goneSinceMs !== undefined;
    const seen = isToldOf(identity.path, whole);
    const telling = byPath.get(pathKey(identity.path));
    const told = telling && { told: { hosts: telling.hosts, atMs } };
    if (seen === "no" && !wasGone) changed.push({ ...present, ...told, goneSinceMs: atMs });
    else if (seen === "yes" && wasGone) changed.push({ ...present, ...told });
    else if (told) changed.push({ ...identity, ...told });
  }
  return changed;
}

/** By those above it: "no" where one of them does not tell of it, or of a hop on the way; "yes" where the last does. */
function isToldOf(
  path: readonly string[],
  whole: ReadonlyMap<string, ReadonlySet<string>>,
): "yes" | "no" | "unknown" {
  let told: "yes" | "unknown" = "unknown";
  for (const [index, name] of path.entries()) {
    const names = whole.get(pathKey(path.slice(0, index)));
    if (names && !names.has(nameKey(name))) return "no";
    told = names ? "yes" : "unknown";
  }
  return told;
}
