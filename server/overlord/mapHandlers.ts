import { FuncError } from "../common/errors";
import type { MapNode } from "../delegation/delegationMap";
import type { MapIdentities } from "../delegation/mapIdentities";
import type { DelegationMapNode } from "../protocol/delegation";
import type { Handlers, OverlordParts } from "./service";

type MapRequest = "map/read" | "map/paths" | "map/build" | "map/states" | "delegation/mapBelow";

/** What answers the requests about the delegation map. */
export function mapHandlers(parts: OverlordParts): Pick<Handlers, MapRequest> {
  const { maps } = parts;
  const missing = (): never => {
    throw new FuncError("unavailable", `${parts.version} builds no delegation map.`);
  };
  return {
    "map/read": async ({ mapFile }) => {
      const { file, nodes, changedAtMs, problem } = await maps.current(mapFile);
      return {
        file,
        nodes: nodesWithIdentities(nodes, maps.identities),
        changedAtMs,
        ...(problem && { problem: textOf(problem) }),
      };
    },
    "map/paths": async ({ names, mapFile }) => {
      const { paths } = await maps.current(mapFile);
      return { paths: names.map((name) => paths.pathTo(name) ?? null) };
    },
    "map/build": missing,
    "map/states": missing,
    "delegation/mapBelow": missing,
  };
}

function nodesWithIdentities(
  nodes: readonly MapNode[],
  identities: MapIdentities,
  above: readonly string[] = [],
): DelegationMapNode[] {
  return nodes.map(({ name, children }) => {
    const path = [...above, name];
    const identity = identities.keyOf(path);
    return {
      name,
      ...(identity !== undefined && { identity }),
      children: nodesWithIdentities(children, identities, path),
    };
  });
}

function textOf({ message, nextStep }: FuncError): string {
  return nextStep === undefined ? message : `${message} ${nextStep}`;
}
