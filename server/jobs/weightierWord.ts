import type { LaterWord } from "../protocol/jobs";

/** Of two hops that tell of the same call, the word of the one that had its result counts; else the newer one. */
export function weightierWord(known: LaterWord | undefined, told: LaterWord): LaterWord {
  return known && hasResult(known) && !hasResult(told) ? known : told;
}

function hasResult({ state }: LaterWord): boolean {
  return state === "succeeded" || state === "failed";
}
