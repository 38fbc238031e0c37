import type { MinionResult } from "./jobs";

/** Advice that is as good at the top: what it names is there. */
const OF_THE_JOB = /\bfunc (?:jobs|build-map)\b/;
/** Names what is another thing at another overlord. */
const OF_ITS_OVERLORD = /\bfunc \S|\b(?:from|between) here\b|\bthis machine\b/;

/**
 * What to do about the error of a result, as its users are to be told; undefined where nothing is known. Advice that
 * a sub-overlord gives for itself says that it is to be followed there: "At mid1/mid3: ...".
 */
export function adviceOf(result: MinionResult): string | undefined {
  const { error, failedHop, state, via = [] } = result;
  const advice = error?.nextStep;
  // where no hop has failed, the last one of the way is the overlord that called the minion
  if (advice === undefined || via.length === 0 || failedHop !== undefined) return advice;
  const isMeantThere = state === "unreachable" || OF_ITS_OVERLORD.test(advice);
  return isMeantThere && !OF_THE_JOB.test(advice) ? `At ${via.join("/")}: ${advice}` : advice;
}
