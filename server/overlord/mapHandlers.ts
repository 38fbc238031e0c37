import { checkMap } from "../delegation/checkMap";
import type { MapNode } from "../delegation/delegationMap";
import type { MapIdentities } from "../delegation/mapIdentities";
import { mapProblemText } from "../delegation/mapProblemText";
import { strangersOf, wayTo } from "../delegation/wayTo";
import { MapStates } from "../delegation/mapStates";
import type { DelegationMapNode } from "../protocol/delegation";
import type { JsonValue } from "../protocol/value";
import type { Handlers, OverlordParts } from "./service";

type MapRequest =
  "map/read" | "map/paths" | "map/validate" | "map/build" | "map/states" | "delegation/mapBelow";

/** What answers the requests about the delegation map. */
export function mapHandlers(parts: OverlordParts): Pick<Handlers, MapRequest> {
  const { maps, mapBuilder } = parts;
  const states = new MapStates();
  parts.jobs.onChanged((job) => {
    states.follow(job);
  });
  return {
    "map/read": async ({ mapFile }) => {
      const { file, nodes, changedAtMs, problem } = await maps.current(mapFile);
      return {
        file,
        nodes: nodesWithIdentities(nodes, maps.identities),
        changedAtMs,
        ...(problem && { problem: mapProblemText(problem) }),
      };
    },
    "map/paths": async ({ names, mapFile }) => {
      const { paths, problem } = await maps.current(mapFile);
      const found = names.map((name) => wayTo(name, paths, maps.identities, parts.inventory));
      const strangers = strangersOf(found, parts.inventory);
      return {
        paths: found,
        ...(strangers.length > 0 && { strangers }),
        ...(problem && { problem: mapProblemText(problem) }),
      };
    },
    "map/validate": async ({ text, mapFile }) => {
      const file = mapFile ?? maps.own.file;
      const reading = text ?? maps.text(file);
      const [content] = await Promise.all([reading, maps.identities.load()]);
      const { inventory } = parts;
      // a text of which no file is told need not be that of this overlord
      const isOwn = (text === undefined || mapFile !== undefined) && file === maps.own.file;
      return { file, problems: checkMap(content, { inventory, seen: maps.identities, isOwn }) };
    },
    "map/build": (params, feed, signal) =>
      mapBuilder.build(params, {
        signal,
        attended: true,
        onProgress: (progress) => {
          feed.mapBuilding(progress);
        },
      }),
    "map/states": () => ({ states: states.list(parts.inventory.list(), parts.jobs.running()) }),
    // objects of JSON values, whatever their names
    "delegation/mapBelow": async (params, _feed, signal) =>
      (await mapBuilder.below(params, signal)) as unknown as JsonValue,
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
