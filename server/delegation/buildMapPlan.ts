import type { MapBuildProblem } from "../protocol/delegation";
import { nameKey, type MapNode } from "./delegationMap";
import { isAlive, type ProbedHost } from "./mapBelow";

/** A key that a host of the map has shown. */
export interface FoundKey {
  path: string[];
  key: string;
  native: boolean;
}

/** What asking all hosts makes of the map. */
export interface MapPlan {
  nodes: MapNode[];
  problems: MapBuildProblem[];
  keys: FoundKey[];
}

export interface PlanOptions {
  /** Leaves out who is away, with all behind. */
  onlyAlive: boolean;
  /** The last map stays in any case. */
  append: boolean;
  /** How many hosts behind the one at the path have ever shown a key. */
  seenBehind: (path: readonly string[]) => number;
}

/**
 * The map of the hosts that were found. What stood in the last map behind one that could not be asked now stays,
 * unless `onlyAlive`; either way it is told.
 */
export function planMap(
  hosts: readonly ProbedHost[],
  last: readonly MapNode[],
  options: PlanOptions,
): MapPlan {
  const plan: MapPlan = { nodes: [], problems: [], keys: [] };
  plan.nodes = planHosts(hosts, last, [], options, plan);
  return plan;
}

function planHosts(
  hosts: readonly ProbedHost[],
  last: readonly MapNode[],
  above: readonly string[],
  options: PlanOptions,
  plan: MapPlan,
): MapNode[] {
  const lastByName = new Map(last.map((node) => [nameKey(node.name), node]));
  return hosts.flatMap((host) => {
    const path = [...above, host.name];
    const before = lastByName.get(nameKey(host.name))?.children ?? [];
    const told = plan.problems.length;
    const isOut = options.onlyAlive && !isAlive(host);
    const text =
      host.outcome === "not-asked"
        ? notAskedText(host, path, countNodes(before), isOut, options)
        : undefined;
    const problem = text === undefined ? problemOf(host, path) : notAsked(path, text);
    if (problem) plan.problems.push(problem);
    if (isOut) return [];
    if (host.identity !== undefined) {
      plan.keys.push({ path, key: host.identity, native: host.native === true });
    }
    if (host.outcome === "not-asked" && !options.onlyAlive) {
      return [{ name: host.name, children: before }];
    }
    const children = planHosts(host.children, before, path, options, plan);
    // all of them are away; those that have others behind them were told already
    if (children.length === 0 && host.children.length > 0 && plan.problems.length === told) {
      plan.problems.push(noMinions(path));
    }
    return [{ name: host.name, children }];
  });
}

function problemOf(
  { outcome, message = "" }: ProbedHost,
  path: string[],
): MapBuildProblem | undefined {
  switch (outcome) {
    case "overlord":
    case "not-an-overlord":
    case "not-asked":
      return undefined;
    case "no-minions":
      return noMinions(path);
    case "cycle":
      return {
        path,
        outcome,
        message:
          "It is the host of an overlord above it, and stands in the map without its minions.",
      };
    case "too-deep":
      return { path, outcome, message };
  }
}

function noMinions(path: string[]): MapBuildProblem {
  const message = "It is a sub-overlord without minions (that answer).";
  return { path, outcome: "no-minions", message };
}

function notAsked(path: string[], message: string): MapBuildProblem {
  const nextStep = "Once it answers, build the map again: func build-map.";
  return { path, outcome: "not-asked", message, nextStep };
}

/** Undefined where only those that are alive are wanted, and one is away that has nobody behind it. */
function notAskedText(
  { alive, message = "" }: ProbedHost,
  path: readonly string[],
  before: number,
  isOut: boolean,
  { onlyAlive, append, seenBehind }: PlanOptions,
): string | undefined {
  const seen = before > 0 ? 0 : seenBehind(path);
  if (isOut && alive === false && before + seen === 0) return undefined;
  const why = message === "" ? [] : [message];
  if (before > 0 && (append || !onlyAlive)) return [...why, keptText(before)].join(" ");
  if (isOut) {
    const state = alive === false ? "It is away: left out" : "It could not be asked: left out";
    const sum = before > 0 ? `, with ${hostsText(before)} behind it` : "";
    return [`${state}${sum}.`, ...seenText(seen), ...why].join(" ");
  }
  const out = before > 0 ? [`Left out: ${hostsText(before)} behind it.`] : seenText(seen);
  return [...why, ...out].join(" ");
}

function keptText(kept: number): string {
  return kept === 1
    ? "The host behind it is the one of the last map."
    : `The ${kept} hosts behind it are those of the last map.`;
}

function seenText(seen: number): string[] {
  return seen > 0
    ? [`The last map has nobody behind it; earlier ${hostsText(seen)} had been seen there.`]
    : [];
}

function hostsText(count: number): string {
  return count === 1 ? "1 host" : `${count} hosts`;
}

/** All entries of a map. */
export function countNodes(nodes: readonly MapNode[]): number {
  return nodes.reduce((sum, { children }) => sum + 1 + countNodes(children), 0);
}
