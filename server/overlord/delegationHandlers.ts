import { FuncError } from "../common/errors";
import type { Handlers, OverlordParts } from "./service";

type DelegationRequest =
  | "delegation/start"
  | "delegation/run"
  | "delegation/collect"
  | "delegation/cancel"
  | "delegation/skipRest"
  | "delegation/readOutput"
  | "delegation/readValue";

/** What this overlord does for one above it. */
export function delegationHandlers(parts: OverlordParts): Pick<Handlers, DelegationRequest> {
  const missing = (): never => {
    throw new FuncError("unavailable", `${parts.version} runs no delegated calls.`);
  };
  return {
    "delegation/start": missing,
    "delegation/run": missing,
    "delegation/collect": missing,
    "delegation/cancel": missing,
    "delegation/skipRest": missing,
    "delegation/readOutput": missing,
    "delegation/readValue": missing,
  };
}
