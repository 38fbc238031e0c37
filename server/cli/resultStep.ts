import type { MinionResult } from "../protocol/jobs";

/** Types of errors, as the original's minions have them. */
export const MODULE_NOT_FOUND = "func.minion.codes.ModuleNotFoundException";
export const INVALID_METHOD = "func.minion.codes.InvalidMethodException";

/** The call that results are of. */
export interface CalledMethod {
  module: string;
  method: string;
}

/**
 * `result` with what is still to come of a cancel, or advice for mistakes in the call itself where the minion's error
 * has none.
 */
export function withNextStep(result: MinionResult, called?: CalledMethod): MinionResult {
  const { error } = result;
  if (result.cancelPending && error) {
    return { ...result, error: { ...error, nextStep: toldLater(result) } };
  }
  if (result.state !== "failed" || !error || error.nextStep || !called) return result;
  const nextStep = stepOf(result.minion, error.type, called);
  return nextStep === undefined ? result : { ...result, error: { ...error, nextStep } };
}

function toldLater({ minion, via: [hop = minion] = [] }: MinionResult): string {
  return `It may run on: ${hop} is told to stop it as soon as it can be reached.`;
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
