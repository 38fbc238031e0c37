import { FuncError } from "../common/errors";
import { utcTime } from "../common/utcTime";
import type { TargetParams } from "../protocol/requests";
import { isPattern } from "../targets/fnmatch";
import { matchTargets, type Groups, type HostNames } from "../targets/targetSpec";
import type { CallPaths } from "./callPaths";
import { nameKey, type MapNode } from "./delegationMap";
import { partsOf } from "./hostMatcher";
import type { MapIdentities } from "./mapIdentities";

const MAX_HOPS = 3;
const MAX_SHOWN = 100;
const MAX_NAMES = 5;

/** What is known where a target expression matched nothing. */
export interface NoMatchFacts {
  /** This overlord's own minions. */
  own: HostNames;
  /** They, and the hosts that the map has behind sub-overlords. */
  all: HostNames;
  paths: Pick<CallPaths, "onlyPathTo" | "namesFor">;
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
  const names = delegate ? facts.all : facts.own;
  for (const [expression, what] of [
    [spec, "matching"],
    [exclude ?? "", "to exclude matching"],
  ] as const) {
    for (const part of partsOf(expression)) {
      if (!isUnmatched(part, names, facts.groups)) continue;
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

/** The map's file cannot be used, so that nothing is known of hosts behind others. */
export function withoutMap(error: FuncError, problem: FuncError): FuncError {
  if (problem.reason === "not-found" || problem.reason === "bad-argument") return error;
  const { reason, message, nextStep } = error;
  const why = `Who stands behind sub-overlords is not known: ${sentence(problem.message)}`;
  return new FuncError(reason, `${message} ${why}`, problem.nextStep ?? nextStep);
}

/** The last good map was looked into, which may lack whom the file has. */
export function withOldMap(
  { reason, message, nextStep }: FuncError,
  problem: FuncError,
): FuncError {
  const why = `The last good map is in use: ${sentence(problem.message)}`;
  const steps = [problem.nextStep, nextStep?.includes("--delegate") ? nextStep : undefined];
  const step = steps.filter((text) => text !== undefined).join(" ");
  return new FuncError(reason, `${message} ${why}`, step === "" ? nextStep : step);
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function isUnmatched(part: string, names: HostNames, groups: Groups): boolean {
  try {
    matchTargets({ spec: part }, names, groups);
    return false;
  } catch (error) {
    return error instanceof FuncError && error.reason === "no-match";
  }
}

function groupOf(part: string, groups: Groups): readonly string[] | undefined {
  const [name = ""] = part.slice(1).split(":", 1);
  return groups.get(nameKey(name.trim()));
}

/** Where the map has whom the part means. */
function towardsDelegate(
  error: FuncError,
  part: string,
  { own, all, paths, groups }: NoMatchFacts,
): FuncError | undefined {
  const isGroup = part.startsWith("@");
  if (!isGroup && !isPattern(part)) {
    const doubled = paths.namesFor(part);
    if (doubled.length > 1) return ofSeveral(error, part, doubled);
    const before = paths.onlyPathTo(part)?.at(-2);
    if (before === undefined) return undefined;
    return withDelegate(error, `${part} stands behind ${before} in the delegation map`, 1);
  }
  const entries = isGroup ? (groupOf(part, groups) ?? []) : [part];
  const colon = isGroup ? part.indexOf(":") : -1;
  const ofGroup = colon < 0 ? undefined : new Set(namesOf(part.slice(colon + 1).trim(), all));
  const isFit = (name: string): boolean => ofGroup?.has(name) ?? true;
  const isBehind = (name: string): boolean => own.one(name) === undefined;
  const found = new Set(entries.flatMap((entry) => namesOf(entry, all).filter(isBehind)));
  const fitting = [...found].filter(isFit);
  // with delegation it would be an error as well
  const ambiguous = isGroup ? entries.find((one) => isOfSeveral(one, own, paths)) : undefined;
  if (ambiguous !== undefined) return ofSeveral(error, ambiguous, paths.namesFor(ambiguous));
  if (fitting.length === 0) return undefined;
  const count = fitting.length;
  const hosts = count === 1 ? "1 host" : `${count} hosts`;
  const shown = part.length > MAX_SHOWN ? `${part.slice(0, MAX_SHOWN)}...` : part;
  const who = isGroup
    ? `${hosts} of ${shown} ${count === 1 ? "stands" : "stand"} behind sub-overlords`
    : `${hosts} behind sub-overlords ${count === 1 ? "matches" : "match"} "${shown}"`;
  return withDelegate(error, who, count);
}

/** What the name or glob means; nobody where it is ambiguous. */
function namesOf(entry: string, names: HostNames): string[] {
  if (isPattern(entry)) return names.many(entry, false);
  try {
    return [names.one(entry)].filter((name) => name !== undefined);
  } catch {
    return [];
  }
}

function isOfSeveral(entry: string, own: HostNames, paths: Pick<CallPaths, "namesFor">): boolean {
  return !isPattern(entry) && own.one(entry) === undefined && paths.namesFor(entry).length > 1;
}

/** Where only the one before it tells which of several hosts is meant. */
function ofSeveral(
  { reason, message }: FuncError,
  name: string,
  names: readonly string[],
): FuncError {
  const shown = names.slice(0, MAX_NAMES);
  const more = names.length > shown.length ? ` or ${names.length - shown.length} more` : "";
  const step = `${name} means ${names.length} hosts behind sub-overlords: name the one that is meant, ${shown.join(" or ")}${more}, and call it with --delegate (VS Code: the setting func.delegate; programs: the option delegate).`;
  return new FuncError(reason, message, step);
}

function withDelegate({ reason, message }: FuncError, who: string, count: number): FuncError {
  const them = count === 1 ? "it" : "them";
  const step = `${who}: call ${them} with --delegate (VS Code: the setting func.delegate; programs: the option delegate).`;
  return new FuncError(reason, message, step);
}

/** Where "web1@mid2" stands elsewhere. */
function ofWrongHop(
  part: string,
  what: string,
  { own, paths }: NoMatchFacts,
): FuncError | undefined {
  const at = part.lastIndexOf("@");
  if (at <= 0 || isPattern(part)) return undefined;
  const name = nameKey(part.slice(0, at));
  const names = paths.namesFor(name);
  const hop = paths.onlyPathTo(name)?.at(-2);
  const isOwn = own.one(name) !== undefined;
  if (names.length === 0 && !isOwn) return undefined;
  const places = names.length > 1 ? names.slice(0, MAX_NAMES).join(", ") : undefined;
  const where = isOwn
    ? "is a minion of this overlord itself"
    : places === undefined
      ? `stands behind ${hop ?? ""}`
      : `means ${names.length} other hosts`;
  const step = isOwn
    ? `Call it as ${name}.`
    : `Call it as ${places === undefined ? name : `one of ${places}`}, with --delegate.`;
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
