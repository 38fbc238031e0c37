import type { MinionResult } from "../../protocol/jobs";
import { adviceOf } from "../../protocol/resultAdvice";

/** The original's code of a minion whose job ended with an error. `jobStatus` never gives it. */
export const REMOTE_ERROR = 4;

/**
 * The result of a minion that has none: the method raised an error there, or the minion could not be called. It
 * stands in the place of the value and is not thrown. As JSON it is the original's array
 * `["REMOTE_ERROR", type, message, trace]`.
 */
export class RemoteError extends Error {
  override readonly name = "RemoteError";

  constructor(
    /** The minion's name. */
    readonly minion: string,
    /** As the original names it: "socket.error", "exceptions.TypeError", ... */
    readonly type: string,
    /** One sentence that names the host and the cause. */
    message: string,
    /** Where in the method, on the minion; may be empty. */
    readonly trace: string,
    /** What to try next, where that is known; "At mid1: ..." where it is to be followed at a sub-overlord. */
    readonly nextStep?: string,
  ) {
    super(message);
  }

  toJSON(): ["REMOTE_ERROR", string, string, string] {
    return ["REMOTE_ERROR", this.type, this.message, this.trace];
  }
}

/** Of a minion in a final state but "succeeded". */
export function remoteErrorOf(result: MinionResult): RemoteError {
  const { minion, state, error } = result;
  const { type = state, message = `${minion}: ${state}`, trace = "" } = error ?? {};
  return new RemoteError(minion, type, message, trace, adviceOf(result));
}

/** Of the original's array of 2 to 4 items; undefined where `value` is none. */
export function remoteErrorIn(minion: string, value: unknown): RemoteError | undefined {
  if (!Array.isArray(value) || value[0] !== "REMOTE_ERROR" || value.length < 2) return undefined;
  const texts = value.map((item: unknown) =>
    typeof item === "string" ? item : JSON.stringify(item),
  );
  const [, first = "", second, trace = ""] = texts;
  return second === undefined
    ? new RemoteError(minion, "lost job", first, trace)
    : new RemoteError(minion, first, second, trace);
}
