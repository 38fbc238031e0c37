import { isErrorReason, type ErrorReason } from "../common/errors";

/** Type of the REMOTE_ERROR of a funcd that has no overlord to ask. */
export const NO_OVERLORD = "func.no-overlord";

/** Type of the REMOTE_ERROR for what a sub-overlord answered its funcd. */
export function remoteTypeOf(reason: ErrorReason): string {
  return `func.${reason}`;
}

/** The reason that `remoteTypeOf` made the type of, where it did. */
export function reasonOfRemoteType(type: string): ErrorReason | undefined {
  const reason = type.startsWith("func.") ? type.slice("func.".length) : "";
  return isErrorReason(reason) ? reason : undefined;
}
