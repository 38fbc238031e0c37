import type { ErrorReason } from "../common/errors";

/** Type of the REMOTE_ERROR of a funcd that has no overlord to ask. */
export const NO_OVERLORD = "func.no-overlord";

/** Type of the REMOTE_ERROR for what a sub-overlord answered its funcd. */
export function remoteTypeOf(reason: ErrorReason): string {
  return `func.${reason}`;
}
