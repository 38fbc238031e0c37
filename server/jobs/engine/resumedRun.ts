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
  const { minion, attempt, sentAtMs, startedAtMs, minionJobId, path, result } = past;
  if (result) return result;
  return {
    minion,
    attempt,
    atMs: startedAtMs ?? sentAtMs ?? atMs,
    state: minionJobId !== undefined ? "running" : sentAtMs !== undefined ? "sent" : "queued",
    ...(minionJobId !== undefined && { minionJobId }),
    ...(startedAtMs !== undefined && { startedAtMs }),
    ...(path && { via: path.slice(0, -1) }),
    valueBytes: 0,
    outputs: [],
  };
}

/**
 * Ends what cannot go on in another process: async calls that may have been sent but can neither be asked for nor begun
 * again, and sync ones, but for what their minion still has, or what an overlord above waits for. Gives the minions that
 * are left. A sync call is sent once more, with its id: native minions answer what the first one did.
 */
export async function endUnresumable(run: JobRun, tools: JobTools): Promise<MinionRecord[]> {
  const turns = new Turns(ASKED_AT_ONCE);
  const { job } = run;
  const ended = new Set<MinionRecord>();
  await Promise.all(
    run.minions
      .filter((minion) => isDoubtful(run, minion))
      .map(async (minion) => {
        const work = async (): Promise<Ending | undefined> => endingOf(run, minion, tools);
        const ending = await turns.take(new AbortController().signal, work);
        if (!ending) return;
        ended.add(minion);
        if (job.isSuspended) return;
        await tools.journal.ended(job, await settle(job, minion, ending, tools.keeper));
      }),
  );
  return run.minions.filter((minion) => !ended.has(minion));
}

/** Of a call that an earlier process may have sent, and whose result cannot be had any more. */
export function interruptedResult(
  { job, record }: JobRun,
  minion: MinionRecord,
  what = "it may have run.",
): Ending {
  const caller = record.above ? `the sub-overlord that called ${minion.name}` : "the overlord";
  const during = job.isAsync ? "before the start was answered" : "during the call";
  return lostResult(minion, `${caller} ended ${during}; ${what}`);
}

function isDoubtful({ job, secret, past, record }: JobRun, { name }: MinionRecord): boolean {
  if (!job.isAsync) return record.above === undefined || secret || job.isCancelled;
  const { minionJobId, sentAtMs } = past.get(name) ?? {};
  return minionJobId === undefined && (sentAtMs !== undefined || secret);
}

/** Undefined where it can go on. */
async function endingOf(
  run: JobRun,
  minion: MinionRecord,
  tools: JobTools,
): Promise<Ending | undefined> {
  const { job, secret, past } = run;
  const { name } = minion;
  if (job.isCancelled) return cancelStart(run, minion, tools, true);
  if (past.get(name)?.sentAtMs !== undefined) return interruptedResult(run, minion);
  const callId = job.callId(name);
  const state = await callStateOf(tools.caller, minion, callId, job.signal);
  const again = secret ? " Its arguments are secret and kept nowhere." : "";
  if (state === "unknown") {
    return cancelledResult(
      minion,
      `The overlord ended before ${name} was called; the call was never begun there.${again}`,
    );
  }
  const isKept = state !== undefined && !job.isAsync && !secret;
  if (isKept) return undefined;
  const what = {
    ended: "it has run, its result is gone.",
    running: "it still ran there afterwards.",
    none: `it may have run.${again}`,
  }[state ?? "none"];
  return interruptedResult(run, minion, what);
}
