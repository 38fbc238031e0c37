import type { MapBuildProblem } from "../protocol/delegation";
import { nameKey, type MapNode } from "./delegationMap";
import type { ProbedHost } from "./mapBelow";

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

/**
 * The map of the hosts that were found. What stood in the last map behind one that could not be asked now stays,
 * unless `onlyAlive`.
 */
export function planMap(
  hosts: readonly ProbedHost[],
  last: readonly MapNode[],
  onlyAlive: boolean,
): MapPlan {
  const plan: MapPlan = { nodes: [], problems: [], keys: [] };
  plan.nodes = planHosts(hosts, onlyAlive ? [] : last, [], onlyAlive, plan);
  return plan;
}

function planHosts(
  hosts: readonly ProbedHost[],
  last: readonly MapNode[],
  above: readonly string[],
  onlyAlive: boolean,
  plan: MapPlan,
): MapNode[] {
  const lastByName = new Map(last.map((node) => [nameKey(node.name), node]));
  return hosts.flatMap((host) => {
    const path = [...above, host.name];
    const before = lastByName.get(nameKey(host.name))?.children ?? [];
    const kept = host.outcome === "not-asked" ? before : [];
    const problem = problemOf(host, path, countNodes(kept));
    if (problem) plan.problems.push(problem);
    // it was not even asked whether it is alive
    if (onlyAlive && host.outcome === "not-asked" && host.alive !== true) return [];
    if (host.identity !== undefined) {
      plan.keys.push({ path, key: host.identity, native: host.native === true });
    }
    const children =
      kept.length > 0 ? kept : planHosts(host.children, before, path, onlyAlive, plan);
    return [{ name: host.name, children }];
  });
}

function problemOf(
  { outcome, message = "" }: ProbedHost,
  path: string[],
  kept: number,
): MapBuildProblem | undefined {
  switch (outcome) {
    case "overlord":
    case "not-an-overlord":
      return undefined;
    case "no-minions":
      return { path, outcome, message: "It is a sub-overlord without minions (that answer)." };
    case "cycle":
      return {
        path,
        outcome,
        message:
          "It is the host of an overlord above it, and stands in the map without its minions.",
      };
    case "too-deep":
      return { path, outcome, message };
    case "not-asked":
      return {
        path,
        outcome,
        message: kept > 0 ? `${message} ${keptText(kept)}` : message,
        nextStep: "Once it answers, build the map again: func build-map.",
      };
  }
}

function keptText(kept: number): string {
  return kept === 1
    ? "The host behind it is the one of the last map."
    : `The ${kept} hosts behind it are those of the last map.`;
}

/** All entries of a map. */
export function countNodes(nodes: readonly MapNode[]): number {
  return nodes.reduce((sum, { children }) => sum + 1 + countNodes(children), 0);
}
