import { setTimeout as sleep } from "node:timers/promises";
import type { MinionCaller } from "../calls/minionCaller";
import { isPassing } from "../calls/overlordErrors";
import { laterWordOf, relayedWord } from "../jobs/engine/laterWord";
import type { LaterEnds } from "../jobs/engine/laterWords";
import type { LaterQuestion } from "../jobs/engine/minionsBehind";
import type { Ending } from "../jobs/engine/outcome";
import type { DelegatedProgress, DelegatedResult } from "../protocol/delegation";
import { FINAL_STATES, type LaterWord } from "../protocol/jobs";
import { readProgress } from "./delegatedProgress";
import { MAX_PROGRESS_BYTES } from "./hopLimits";
import type { ResultTrust } from "./resultTrust";

/** Questions are not held: others wait for their turn at the same hop. */
const WAIT_SECONDS = 0;
const TIMEOUT_MS = 20_000;
/** In one look; an answer has 1 MB of results, or one that is larger. */
const MAX_PAGES = 500;
const LEAST_PAUSE_MS = 200;

/**
 * Asks a hop for the ends of calls that have ended here without its word. A value that it says was signed is judged as
 * ever; what is large stays there. Never rejects.
 */
export async function laterEnds(
  question: LaterQuestion,
  caller: Pick<MinionCaller, "call">,
  trust: ResultTrust,
): Promise<LaterEnds> {
  const { asked, hop, isForAbove } = question;
  const open = new Map(asked.map((one) => [one.callId, one.minion]));
  /** Those that the hop could not tell to stop, and will have a word of later. */
  const pendingBelow = new Set<string>();
  const words = new Map<string, LaterWord>();
  let cursor = "";
  for (let page = 0; page < MAX_PAGES; page++) {
    const progress = await progressOf(question, caller, cursor);
    if (progress === undefined) return { words, isOpen: false, isUnknown: true };
    if (progress === "away" || progress === "not now") {
      return { words, isOpen: true, isAway: progress === "away" };
    }
    const wordsBefore = words.size;
    for (const result of progress.results) {
      const { callId } = result;
      const minion = open.get(callId);
      if (!minion || !FINAL_STATES.has(result.state)) continue;
      if (result.cancelPending && !result.later) {
        pendingBelow.add(callId);
        continue;
      }
      const ending = endingOf(result, hop.name);
      const told = { minion, callId, hop: hop.name, ending };
      const judged = isForAbove || isLarge(result) ? ending : await trust.judge(told);
      open.delete(callId);
      pendingBelow.delete(callId);
      words.set(
        minion.name,
        result.later
          ? relayedWord(result.later, hop.name)
          : wordOf(question, minion.name, judged, result),
      );
    }
    if (progress.finished) return { words, isOpen: pendingBelow.size > 0 };
    // there is no more to tell now
    if (open.size === 0 || progress.cursor === cursor) return { words, isOpen: open.size > 0 };
    cursor = progress.cursor;
    // a hop that tells of others all the time is not asked all the time
    if (words.size === wordsBefore) await sleep(LEAST_PAUSE_MS);
  }
  return { words, isOpen: true };
}

/** Undefined where the hop does not know the job, or tells nothing that can be read. */
async function progressOf(
  { hop, hopJobId, signal }: LaterQuestion,
  caller: Pick<MinionCaller, "call">,
  cursor: string,
): Promise<DelegatedProgress | "away" | "not now" | undefined> {
  const words = [hopJobId, cursor, WAIT_SECONDS];
  const outcome = await caller.call(hop, "delegation.collect", words, {
    timeoutMs: TIMEOUT_MS,
    signal,
    inMemoryBytes: MAX_PROGRESS_BYTES,
  });
  if (outcome.state !== "succeeded") {
    if (!outcome.answered) return "away";
    return isPassing(outcome.error.type) ? "not now" : undefined;
  }
  try {
    return readProgress(outcome.value);
  } catch {
    return undefined;
  }
}

function endingOf(result: DelegatedResult, hop: string): Ending {
  const { state, value, error, exitStatus, mayHaveRun, receipt, via = [] } = result;
  return {
    state,
    ...(value !== undefined && !error && { value }),
    ...(error && { error }),
    ...(exitStatus !== undefined && { exitStatus }),
    ...(mayHaveRun && { mayHaveRun }),
    via: [hop, ...via],
    ...(receipt && { receipt }),
  };
}

function wordOf(
  { hop, isCommand }: LaterQuestion,
  minion: string,
  ending: Ending,
  result: DelegatedResult,
): LaterWord {
  const bytes = (result.outputs ?? []).reduce((sum, output) => sum + output.bytes, 0);
  const whole = isLarge(result) && { wholeBytes: bytes };
  return laterWordOf({ teller: hop.name, minion, ending, isCommand, ...whole });
}

function isLarge({ outputs = [] }: DelegatedResult): boolean {
  return outputs.length > 0;
}
