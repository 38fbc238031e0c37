import { join } from "node:path";
import type { MinionCaller } from "../calls/minionCaller";
import type { Log } from "../common/log";
import { MapBuilder } from "../delegation/buildMap";
import { DelegationMaps } from "../delegation/delegationMaps";
import { openOriginatorKey } from "../pki/authority/originatorKey";
import { keyFingerprint } from "../pki/certificates/identity";
import { MapSchedule } from "./mapSchedule";
import type { OverlordData } from "./overlordData";

interface MapContext extends Pick<OverlordData, "inventory" | "configuration"> {
  dataDirectory: string;
  caller: MinionCaller;
  /** For the audit, of what nobody asked for. */
  note: (event: string, fields: object) => void;
  log: Log;
}

/** Everything that has to do with the delegation map. */
export interface MapParts {
  maps: DelegationMaps;
  mapBuilder: MapBuilder;
  mapSchedule: MapSchedule;
}

export function makeMapParts(context: MapContext): MapParts {
  const { dataDirectory, configuration, note, log } = context;
  const maps = new DelegationMaps(dataDirectory);
  const mapBuilder = new MapBuilder({
    ...context,
    maps,
    identity: async () =>
      keyFingerprint(await openOriginatorKey(join(dataDirectory, "credentials"))),
  });
  const mapSchedule = new MapSchedule({
    settings: configuration.map,
    builder: mapBuilder,
    markFile: join(dataDirectory, "map.scheduled"),
    note,
    log,
  });
  return { maps, mapBuilder, mapSchedule };
}
