import { MAX_MAP_NODES } from "../../delegation/delegationMap";
import { isAlive, readMapBelow, type ProbedHost } from "../../delegation/mapBelow";
import type { XmlRpcStruct } from "../../wire/value";
import type { MinionModule } from "../minionModule";
import type { SubOverlord } from "../subOverlord";

/** Of each host that is asked. */
const PROBE_TIMEOUT_MS = 60_000;
const MAP_TIMEOUT_MS = 3_600_000;

/** The original's view of an overlord from above. */
export function overlordModule(overlord: SubOverlord): MinionModule {
  return {
    name: "overlord",
    version: "0.0.1",
    description: "Tells overlords above what stands behind this host",
    methods: {
      map_minions: {
        description: "Answers the minions behind this host, each with those behind it",
        args: [
          {
            name: "get_only_alive",
            type: "boolean",
            optional: true,
            description: "Those alone that answer",
            default: false,
          },
        ],
        risk: "read",
        handler: async ({ signal, connectionClosed }, onlyAlive) => {
          const params = {
            onlyAlive: onlyAlive === true,
            timeoutMs: PROBE_TIMEOUT_MS,
            above: [],
          };
          const bounds = {
            signal: AbortSignal.any([signal, connectionClosed]),
            timeoutMs: MAP_TIMEOUT_MS,
          };
          const map = await overlord.request("delegation/mapBelow", params, bounds);
          const { hosts } = readMapBelow(JSON.stringify(map), 1, { left: MAX_MAP_NODES });
          return structOf(hosts, params.onlyAlive);
        },
      },
    },
  };
}

function structOf(hosts: readonly ProbedHost[], onlyAlive: boolean): XmlRpcStruct {
  const struct = Object.create(null) as XmlRpcStruct;
  for (const host of hosts) {
    if (!onlyAlive || isAlive(host)) struct[host.name] = structOf(host.children, onlyAlive);
  }
  return struct;
}
