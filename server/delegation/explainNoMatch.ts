import { FuncError } from "../common/errors";
import { utcTime } from "../common/utcTime";
import type { TargetParams } from "../protocol/requests";
import { fnmatch, isPattern } from "../targets/fnmatch";
import type { Groups } from "../targets/targetSpec";
import { nameKey, type MapNode } from "./delegationMap";
import type { MapIdentities } from "./mapIdentities";

const MAX_HOPS = 3;
const MAX_SHOWN = 100;

/** What is known where a target expression matched nothing. */
export interface NoMatchFacts {
  /** Names of the overlord's own minions. */
  own: readonly string[];
  /** Names for calls of hosts that the map has behind sub-overlords. */
  behind: readonly string[];
  /** Over whom the map reaches a host; undefined where it does not, or where several have the name. */
  pathTo: (name: string) => readonly string[] | undefined;
  nodes: readonly MapNode[];
  seen: Pick<MapIdentities, "find" | "placesOf" | "seenBehind">;
  groups: Groups;
}

/**
 * The error with what the map, or the keys on record, know of the part that matched nothing: hosts that are only
 * called with `delegate`, and hosts that the map has lost.
 */
export function explainNoMatch(
  error: FuncError,
  { spec, exclude, delegate = false }: TargetParams,
  facts: NoMatchFacts,
): FuncError {
  const names = new Set(delegate ? [...facts.own, ...facts.behind] : facts.own);
  for (const [expression, what] of [
    [spec, "matching"],
    [exclude ?? "", "to exclude matching"],
  ] as const) {
    for (const part of expression.split(";").map((one) => one.trim())) {
      if (part === "" || !isUnmatched(part, names, facts.groups)) continue;
      return (
        (delegate ? undefined : towardsDelegate(error, part, facts)) ??
        ofLostHost(part, what, delegate, facts) ??
        ofWrongHop(part, what, facts) ??
        (delegate ? withEmptyHops(error, facts) : error)
      );
    }
  }
  return error;
}

/** A group also where one of its names is nobody's; a glob in it may match nothing. */
function isUnmatched(part: string, names: ReadonlySet<string>, groups: Groups): boolean {
  const matches = (entry: string): boolean =>
    isPattern(entry) ? [...names].some(fnmatch(entry)) : names.has(nameKey(entry));
  if (!part.startsWith("@")) return !matches(part);
  const entries = groupOf(part, groups) ?? [];
  return !entries.some(matches) || entries.some((entry) => !isPattern(entry) && !matches(entry));
}

function groupOf(part: string, groups: Groups): readonly string[] | undefined {
  const [name = ""] = part.slice(1).split(":", 1);
  return groups.get(nameKey(name.trim()));
}

/** Where the map has whom the part means. */
function towardsDelegate(
  error: FuncError,
  part: string,
  { own, behind, pathTo, groups }: NoMatchFacts,
): FuncError | undefined {
  const isGroup = part.startsWith("@");
  if (!isGroup && !isPattern(part)) {
    const before = pathTo(part)?.at(-2);
    if (before === undefined) return undefined;
    return withDelegate(error, `${part} stands behind ${before} in the delegation map`, 1);
  }
  const isOwn = new Set(own);
  const entries = isGroup ? (groupOf(part, groups) ?? []) : [part];
  const found = new Set(
    entries.flatMap((entry) => {
      if (isPattern(entry)) return behind.filter(fnmatch(entry));
      const name = nameKey(entry);
      return !isOwn.has(name) && (pathTo(name)?.length ?? 0) > 1 ? [name] : [];
    }),
  );
  if (found.size === 0) return undefined;
  const hosts = found.size === 1 ? "1 host" : `${found.size} hosts`;
  const shown = part.length > MAX_SHOWN ? `${part.slice(0, MAX_SHOWN)}...` : part;
  const verb = found.size === 1 ? "matches" : "match";
  const who = isGroup
    ? `${hosts} of ${shown} ${found.size === 1 ? "stands" : "stand"} behind sub-overlords`
    : `${hosts} behind sub-overlords ${verb} "${shown}"`;
  return withDelegate(error, who, found.size);
}

function withDelegate({ reason, message }: FuncError, who: string, count: number): FuncError {
  const them = count === 1 ? "it" : "them";
  const step = `${who}: call ${them} with --delegate (VS Code: the setting func.delegate).`;
  return new FuncError(reason, message, step);
}

/** Where "web1@mid2" stands elsewhere. */
function ofWrongHop(
  part: string,
  what: string,
  { own, pathTo }: NoMatchFacts,
): FuncError | undefined {
  const at = part.lastIndexOf("@");
  if (at <= 0 || isPattern(part)) return undefined;
  const name = nameKey(part.slice(0, at));
  const hop = pathTo(name)?.at(-2);
  const isOwn = own.includes(name);
  if (hop === undefined && !isOwn) return undefined;
  const where = isOwn ? "is a minion of this overlord itself" : `stands behind ${hop ?? ""}`;
  const step = isOwn ? `Call it as ${name}.` : `Call it as ${name}, with --delegate.`;
  const message = `Can't find any minions ${what} "${part.slice(0, MAX_SHOWN)}": ${name} ${where}.`;
  return new FuncError("no-match", message, step);
}

/** Where a host of that name has shown a key, and the map has it no more. */
function ofLostHost(
  part: string,
  what: string,
  delegate: boolean,
  { nodes, seen }: NoMatchFacts,
): FuncError | undefined {
  if (isPattern(part) || part.startsWith("@")) return undefined;
  const places = seen.placesOf(part);
  const place = places.find(({ goneSinceMs }) => goneSinceMs === undefined) ?? places[0];
  if (!place) return undefined;
  const hopPath = place.path.slice(0, -1);
  const hop = hopPath.join("/");
  const last = seen.seenBehind(hopPath).atMs;
  const on = last === undefined ? "" : `, last on ${utcTime(last)}`;
  const isGone = place.goneSinceMs !== undefined;
  const why = isGone
    ? `it stood behind ${hop}, ${goneText(place.path, seen)}`
    : `it was seen behind ${hop}${on}, ${lackText(hopPath, nodes)}`;
  const build = isGone
    ? "Where it is back: func build-map."
    : `Once ${hop} answers, build the map again: func build-map.`;
  const step = delegate ? build : `${build} Then call it with --delegate.`;
  return new FuncError("no-match", `Can't find any minions ${what} "${part}": ${why}.`, step);
}

/** It is gone, or the first of those on the way to it that is. */
function goneText(path: readonly string[], seen: NoMatchFacts["seen"]): string {
  const tiers = path.map((_name, index) => path.slice(0, index + 1));
  const gone = tiers.find((one) => seen.find(one)?.goneSinceMs !== undefined) ?? path;
  const on = utcTime(seen.find(gone)?.goneSinceMs ?? 0);
  if (gone.length === path.length) return `which told on ${on} that it does no more`;
  const above = gone.slice(0, -1).join("/");
  const name = gone.at(-1) ?? "";
  return above === ""
    ? `and ${name} is no minion of this overlord any more, since ${on} or before`
    : `and ${name} is no minion of ${above} any more, as that told on ${on}`;
}

function lackText(hopPath: readonly string[], nodes: readonly MapNode[]): string {
  let below: readonly MapNode[] | undefined = nodes;
  for (const name of hopPath) {
    below = below?.find((node) => nameKey(node.name) === nameKey(name))?.children;
  }
  if (!below) return "which is not in the map";
  return below.length === 0 ? "which stands in the map without hosts" : "and is not in the map";
}

/** Sub-overlords that have lost all that were seen behind them. */
function withEmptyHops(error: FuncError, { nodes, seen }: NoMatchFacts): FuncError {
  const empty = emptyHops(nodes, seen);
  if (empty.length === 0) return error;
  const told = empty.slice(0, MAX_HOPS).map(({ path, hosts, atMs }) => {
    const last = atMs === undefined ? "" : `, last on ${utcTime(atMs)}`;
    return `${path.join("/")} (${hosts === 1 ? "1 was" : `${hosts} were`} seen behind it${last})`;
  });
  if (empty.length > MAX_HOPS) told.push(`${empty.length - MAX_HOPS} more`);
  const stand = empty.length === 1 ? "stands" : "stand";
  const message = `${error.message} In the map ${told.join(", ")} ${stand} without hosts.`;
  const who = empty.length === 1 ? `${empty[0]?.path.join("/") ?? ""} answers` : "they answer";
  return new FuncError(error.reason, message, `Once ${who}, build the map again: func build-map.`);
}

function emptyHops(
  nodes: readonly MapNode[],
  seen: NoMatchFacts["seen"],
  above: readonly string[] = [],
): { path: string[]; hosts: number; atMs?: number }[] {
  return nodes.flatMap(({ name, children }) => {
    const path = [...above, name];
    if (children.length > 0) return emptyHops(children, seen, path);
    const { hosts, atMs } = seen.seenBehind(path);
    return hosts > 0 ? [{ path, hosts, ...(atMs !== undefined && { atMs }) }] : [];
  });
}
