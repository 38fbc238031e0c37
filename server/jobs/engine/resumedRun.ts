import type { MinionRecord } from "../../protocol/minions";
import { callStateOf } from "./callState";
import { cancelStart } from "./cancelStart";
import type { JobRun, JobTools } from "./jobRun";
import { cancelledResult, lostResult, type Ending } from "./outcome";
import { settle } from "./settle";
import type { StoredResult, UnfinishedMinion } from "../store/storeTypes";
import { Turns } from "./turns";

const ASKED_AT_ONCE = 64;

/** How a minion stood when the earlier process ended. */
export function pastResult(past: UnfinishedMinion, atMs: number): StoredResult {
  const { minion, attempt, sentAtMs, startedAtMs, minionJobId, result } = past;
  if (result) return result;
  return {
    minion,
    attempt,
    atMs: startedAtMs ?? sentAtMs ?? atMs,
    state: minionJobId !== undefined ? "running" : sentAtMs !== undefined ? "sent" : "queued",
    ...(minionJobId !== undefined && { minionJobId }),
    ...(startedAtMs !== undefined && { startedAtMs }),
    valueBytes: 0,
    outputs: [],
  };
}

/**
 * Ends what cannot go on in another process: sync calls, and async ones that may have been sent but can neither
 * be asked for nor begun again. Gives the minions that are left.
 */
export async function endUnresumable(run: JobRun, tools: JobTools): Promise<MinionRecord[]> {
  const turns = new Turns(ASKED_AT_ONCE);
  const { job } = run;
  const hopeless = new Set(run.minions.filter((minion) => isHopeless(run, minion)));
  await Promise.all(
    [...hopeless].map(async (minion) => {
      const work = async (): Promise<Ending> => endingOf(run, minion, tools);
      const ending = await turns.take(new AbortController().signal, work);
      if (job.isSuspended) return;
      await tools.journal.ended(job, await settle(job, minion, ending, tools.keeper));
    }),
  );
  return run.minions.filter((minion) => !hopeless.has(minion));
}

function isHopeless({ job, secret, past }: JobRun, { name }: MinionRecord): boolean {
  if (!job.isAsync) return true;
  const { minionJobId, sentAtMs } = past.get(name) ?? {};
  return minionJobId === undefined && (sentAtMs !== undefined || secret);
}

async function endingOf(run: JobRun, minion: MinionRecord, tools: JobTools): Promise<Ending> {
  const { job, secret, past } = run;
  const { name } = minion;
  if (job.isCancelled) return cancelStart(run, minion, tools, true);
  const during = job.isAsync ? "before the start was answered" : "during the call";
  if (past.get(name)?.sentAtMs !== undefined) {
    return lostResult(minion, `the overlord ended ${during}; it may have run.`);
  }
  const callId = job.callId(name);
  const state = await callStateOf(tools.caller, minion, callId, job.signal);
  const again = secret ? " Its arguments are secret and kept nowhere." : "";
  switch (state) {
    case "unknown":
      return cancelledResult(
        minion,
        `The overlord ended before ${name} was called; the call was never begun there.${again}`,
      );
    case "ended":
      return lostResult(minion, `the overlord ended ${during}; it has run, its result is gone.`);
    case "running":
      return lostResult(minion, `the overlord ended ${during}; it still ran there afterwards.`);
    default:
      return lostResult(minion, `the overlord ended ${during}; it may have run.${again}`);
  }
}
