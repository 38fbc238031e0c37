import { isCommandRun, type MinionResult } from "../protocol/jobs";
import { adviceOf } from "../protocol/resultAdvice";

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
 * has none. Advice that a sub-overlord gives for itself says that it is to be followed there.
 */
export function withNextStep(result: MinionResult, called?: CalledMethod): MinionResult {
  const { error } = result;
  if (result.cancelPending && error) {
    return { ...result, error: { ...error, nextStep: toldLater(result) } };
  }
  const advice = adviceOf(result);
  if (error && advice !== undefined) {
    return { ...result, error: { ...error, nextStep: advice } };
  }
  if (result.state !== "failed" || !error || !called) return result;
  const nextStep = stepOf(result, error.type, called);
  return nextStep === undefined ? result : { ...result, error: { ...error, nextStep } };
}

function toldLater({ minion, via: [hop = minion] = [] }: MinionResult): string {
  return `It may run on: ${hop} is told to stop it as soon as it can be reached.`;
}

function stepOf(
  { minion, via }: MinionResult,
  type: string,
  called: CalledMethod,
): string | undefined {
  const shows = via ? `func ${minion} --delegate methods` : `func ${minion} methods`;
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
