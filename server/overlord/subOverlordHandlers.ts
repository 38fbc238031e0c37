import { FuncError } from "../common/errors";
import type { Handlers, OverlordParts } from "./service";

/** What asks sub-overlords, and answers an overlord above, beside calls. */
export function subOverlordHandlers(
  parts: OverlordParts,
): Pick<Handlers, "overlord/at" | "delegation/ask"> {
  const missing = (): never => {
    throw new FuncError("unavailable", `${parts.version} asks no sub-overlords.`);
  };
  return { "overlord/at": missing, "delegation/ask": missing };
}
