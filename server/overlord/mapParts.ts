import { randomBytes } from "node:crypto";
import type { MinionCaller } from "../calls/minionCaller";
import { MapBuilder } from "../delegation/buildMap";
import { DelegationMaps } from "../delegation/delegationMaps";
import type { OverlordData } from "./overlordData";

interface MapContext extends Pick<OverlordData, "inventory" | "outputs" | "credentials"> {
  dataDirectory: string;
  caller: MinionCaller;
}

/** Everything that has to do with the delegation map. */
export interface MapParts {
  maps: DelegationMaps;
  mapBuilder: MapBuilder;
}

export function makeMapParts(context: MapContext): MapParts {
  const { dataDirectory, credentials } = context;
  const maps = new DelegationMaps(dataDirectory);
  // without a CA it has no minions, and nobody has it among theirs for long
  const withoutAuthority = randomBytes(32).toString("hex");
  const mapBuilder = new MapBuilder({
    ...context,
    maps,
    identity: () =>
      Promise.resolve(credentials.existingAuthority()?.fingerprint ?? withoutAuthority),
  });
  return { maps, mapBuilder };
}
