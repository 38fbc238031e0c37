import type { MapBuildProblem } from "../protocol/delegation";
import { countNodes, nameKey, type MapNode } from "./delegationMap";
import type { HopTelling } from "./hopTellings";
import { isAlive, type ProbedHost } from "./mapBelow";
import { notAskedText, type NotAskedOptions } from "./notAskedText";

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
  tellings: HopTelling[];
}

/**
 * The map of the hosts that were found. What stood in the last map behind one that could not be asked now stays,
 * unless `onlyAlive`; either way it is told.
 */
export function planMap(
  hosts: readonly ProbedHost[],
  last: readonly MapNode[],
  options: NotAskedOptions,
): MapPlan {
  const plan: MapPlan = { nodes: [], problems: [], keys: [], tellings: [] };
  plan.nodes = planHosts(hosts, last, [], options, plan);
  return plan;
}

function planHosts(
  hosts: readonly ProbedHost[],
  last: readonly MapNode[],
  above: readonly string[],
  options: NotAskedOptions,
  plan: MapPlan,
): MapNode[] {
  const lastByName = new Map(last.map((node) => [nameKey(node.name), node]));
  return hosts.flatMap((host) => {
    const path = [...above, host.name];
    const stood = lastByName.get(nameKey(host.name));
    const before = stood?.children ?? [];
    const told = plan.problems.length;
    const isOut = options.onlyAlive && !isAlive(host);
    const text =
      host.outcome === "not-asked"
        ? notAskedText(host, path, stood && countNodes(before), options)
        : undefined;
    const problem = text === undefined ? problemOf(host, path) : notAsked(path, text);
    if (problem) plan.problems.push(problem);
    if (isOut) return [];
    if (host.identity !== undefined) {
      plan.keys.push({ path, key: host.identity, native: host.native === true });
      plan.tellings.push(...tellingOf(host, path, options));
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

/** None of one that could not be asked, and of leaves, but where a sub-overlord is none any more. */
function tellingOf(
  { outcome, native, children }: ProbedHost,
  path: string[],
  { onlyAlive, seenBehind }: NotAskedOptions,
): HopTelling[] {
  const names = children.map(({ name }) => name);
  if (outcome === "overlord" || outcome === "no-minions") {
    if (native) return [{ path, names, hosts: names.length, isWhole: true }];
    return onlyAlive ? [] : [{ path, names, hosts: countNodes(children), isWhole: false }];
  }
  const isNone = outcome === "not-an-overlord" && seenBehind(path).hosts > 0;
  return isNone ? [{ path, names: [], hosts: 0, isWhole: native === true }] : [];
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
