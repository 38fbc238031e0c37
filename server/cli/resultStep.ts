import type { MinionResult } from "../protocol/jobs";

/** Types of errors, as the original's minions have them. */
export const MODULE_NOT_FOUND = "func.minion.codes.ModuleNotFoundException";
export const INVALID_METHOD = "func.minion.codes.InvalidMethodException";

/** The call that results are of. */
export interface CalledMethod {
  module: string;
  method: string;
}

/** `result` with advice for mistakes in the call itself, where the minion's error has none. */
export function withNextStep(result: MinionResult, called?: CalledMethod): MinionResult {
  const { error } = result;
  if (result.state !== "failed" || !error || error.nextStep || !called) return result;
  const nextStep = stepOf(result.minion, error.type, called);
  return nextStep === undefined ? result : { ...result, error: { ...error, nextStep } };
}

function stepOf(minion: string, type: string, called: CalledMethod): string | undefined {
  const shows = `func ${minion} methods`;
  switch (type) {
    case MODULE_NOT_FOUND:
      return `${shows} shows what there is.`;
    case INVALID_METHOD:
      return `${shows} ${called.module} shows what there is.`;
    case "exceptions.TypeError":
      return isCommandRun(called)
        ? 'Quote a command line that has spaces: "ls -l /tmp". Options come before MODULE.'
        : undefined;
    default:
      return undefined;
  }
}

/** True for the method whose results are a command's exit status and output. */
export function isCommandRun({ module, method }: CalledMethod): boolean {
  return module === "command" && method === "run";
}
