import type { MinionRecord } from "../../protocol/minions";
import { mayBeThere, startOnce, type StartOutcome } from "./asyncStart";
import { callStateOf } from "./callState";
import type { Delivery } from "./delivery";
import type { JobRun, JobTools } from "./jobRun";

/**
 * For a minion that is not to be called any more, since too many others have failed: "skipped", unless an earlier
 * process has called it. Never throws.
 */
export async function notCalled(
  run: JobRun,
  minion: MinionRecord,
  tools: JobTools,
  delivery: Delivery,
): Promise<StartOutcome> {
  const { job, limit, past } = run;
  const skipped: StartOutcome = { kind: "ended", ending: limit.skipped(minion) };
  if (!past.has(minion.name)) return skipped;
  const callId = job.callId(minion.name);
  switch (await callStateOf(tools.caller, minion, callId, job.signal)) {
    case "unknown":
      return skipped;
    case "running":
    case "ended":
      // it answers which job that is; going away now does not change that it was begun
      return delivery.goOn(run, minion, tools, mayBeThere(await startOnce(run, minion, tools)));
    default:
      // one of the original is on record before it is called
      if (await tools.caller.isOriginal(minion)) return skipped;
      return delivery.goOn(run, minion, tools, { kind: "unanswered", ending: skipped.ending });
  }
}
