import { FuncError, messageOf } from "../common/errors";
import { JOB_LOST, remoteError } from "../wire/remoteError";
import type { XmlRpcValue } from "../wire/value";

export const TYPE_ERROR = "exceptions.TypeError";
export const VALUE_ERROR = "exceptions.ValueError";
export const FUNC_EXCEPTION = "func.minion.codes.FuncException";
export const MODULE_NOT_FOUND = "func.minion.codes.ModuleNotFoundException";
export const INVALID_METHOD = "func.minion.codes.InvalidMethodException";
export const ACCESS_DENIED = "func.minion.codes.AccessToMethodDenied";
/** A call that ended because `jobs.cancel` asked for it. */
export const CANCELLED = "func.minion.codes.CancelledException";
/** A job whose end nobody can know any more. */
export const LOST = JOB_LOST;

/** An error of a called method: travels as the REMOTE_ERROR value with this type and message. */
export class MethodError extends Error {
  override readonly name = "MethodError";
  constructor(
    /** As the original names it, "exceptions.TypeError". */
    readonly type: string,
    message: string,
  ) {
    super(message);
  }
}

/** Anything thrown by a method as the REMOTE_ERROR value of four strings. */
export function toRemoteError(error: unknown): XmlRpcValue[] {
  return remoteError(typeOf(error), messageOf(error), "");
}

function typeOf(error: unknown): string {
  if (error instanceof MethodError) return error.type;
  if (error instanceof FuncError) return FUNC_EXCEPTION;
  if (error instanceof TypeError) return TYPE_ERROR;
  if (error instanceof RangeError) return VALUE_ERROR;
  if (error instanceof Error && "errno" in error) return "exceptions.OSError";
  return "exceptions.Exception";
}
