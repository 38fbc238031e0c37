import { FuncError, type ErrorReason } from "../../common/errors";

const REASONS: ReadonlySet<ErrorReason> = new Set<ErrorReason>([
  "refused",
  "unreachable",
  "timed-out",
  "name-not-found",
  "unavailable",
]);

/** True where the certmaster may not be open yet. Anything else will not get better by waiting. */
export function isWorthARetry(error: unknown): error is FuncError {
  return error instanceof FuncError && REASONS.has(error.reason);
}
