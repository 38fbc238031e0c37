import { isErrorReason, type ErrorReason } from "../common/errors";

/** Type of the REMOTE_ERROR of a funcd that has no overlord to ask. */
export const NO_OVERLORD = "func.no-overlord";

/** Why a sub-overlord does not answer while a host behind it, or it itself, is away or busy. */
const PASSING: ReadonlySet<ErrorReason | undefined> = new Set([
  "unavailable",
  "timed-out",
  "unreachable",
  "cancelled",
]);

/** Type of the REMOTE_ERROR for what a sub-overlord answered its funcd. */
export function remoteTypeOf(reason: ErrorReason): string {
  return `func.${reason}`;
}

/** The reason that `remoteTypeOf` made the type of, where it did. */
export function reasonOfRemoteType(type: string): ErrorReason | undefined {
  const reason = type.startsWith("func.") ? type.slice("func.".length) : "";
  return isErrorReason(reason) ? reason : undefined;
}

/** Whether the same question may have another answer later, where this type of REMOTE_ERROR answers it now. */
export function isPassing(type: string): boolean {
  return PASSING.has(reasonOfRemoteType(type));
}
