import { FuncError, isErrorReason, messageOf } from "../common/errors";

/** The FuncError that a request's failure stands for: a ResponseError with ErrorData, or anything else thrown. */
export function errorFromResponse(error: unknown): FuncError {
  if (error instanceof FuncError) return error;
  const data: unknown = error instanceof Error && "data" in error ? error.data : undefined;
  if (typeof data !== "object" || data === null) {
    return new FuncError("internal", messageOf(error), undefined, { cause: error });
  }
  const reason = "reason" in data && typeof data.reason === "string" ? data.reason : "internal";
  const nextStep =
    "nextStep" in data && typeof data.nextStep === "string" ? data.nextStep : undefined;
  return new FuncError(isErrorReason(reason) ? reason : "internal", messageOf(error), nextStep, {
    cause: error,
  });
}

/** Whether the overlord went away, or could not be reached. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof FuncError && error.reason === "unavailable";
}
