import { FuncError } from "../common/errors";
import type { Handlers, OverlordParts } from "./service";

type MapRequest = "map/read" | "map/paths" | "map/build" | "map/states" | "delegation/mapBelow";

/** What answers the requests about the delegation map. */
export function mapHandlers(parts: OverlordParts): Pick<Handlers, MapRequest> {
  const missing = (): never => {
    throw new FuncError("unavailable", `${parts.version} has no delegation map.`);
  };
  return {
    "map/read": missing,
    "map/paths": missing,
    "map/build": missing,
    "map/states": missing,
    "delegation/mapBelow": missing,
  };
}
