import { outcomeOfValue, type MinionCallOutcome } from "../calls/minionCaller";
import type { MinionBehind } from "../jobs/engine/minionsBehind";
import { lostResult, resultOf, type Ending } from "../jobs/engine/outcome";
import { settle } from "../jobs/engine/settle";
import { asRemoteError } from "../wire/remoteError";
import type { XmlRpcStruct, XmlRpcValue } from "../wire/value";
import { failedAsWhole, notSent, untold, type LeftBehind } from "./hopEndings";
import type { HopShare } from "./hopJob";
import { workLimitMs } from "./hopLimits";

/** Of async calls without a limit. */
const LONGEST_MS = 24 * 60 * 60_000;

/**
 * Has a sub-overlord of the original call those behind it: one `delegation.run`, which answers for all of them once
 * the last has ended. Nothing of it is signed, and it cannot tell a repeat. Never rejects.
 */
export async function callOriginalHop(share: HopShare): Promise<LeftBehind[]> {
  const { run, tools, hop, minions } = share;
  const { job, limit } = run;
  if (job.isSuspended) return [];
  const sent = minions.filter(({ name }) => run.past.get(name)?.sentAtMs !== undefined);
  const asked = minions.filter((minion) => !sent.includes(minion));
  const gone = sent.map((minion) =>
    end(share, minion, lostResult(minion, "the overlord ended during the call.")),
  );
  if (asked.length === 0) {
    await Promise.all(gone);
    return [];
  }
  if (limit.isPassed) {
    await Promise.all([...gone, ...asked.map((one) => end(share, one, limit.skipped(one)))]);
    return [];
  }
  try {
    for (const { name } of asked) await tools.journal.sent(job, name);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    await Promise.all([...gone, ...asked.map((one) => end(share, one, notSent(one, problem)))]);
    return [];
  }
  for (const { name } of asked) {
    job.update(name, { state: "running", startedAtMs: Date.now() });
  }
  const outcome = await ask(share, asked);
  const left: LeftBehind[] = [];
  const ended = asked.map(async (minion) => {
    if (outcome.state !== "succeeded") {
      const { error, mayHaveRun, answered } = outcome;
      const denied = outcome.state === "denied";
      const failed = { failedHop: hop.name, cause: error.message, mayHaveRun };
      const peer = { ...hop, name: minion.name };
      if (job.isCancelled) await end(share, minion, resultOf(outcome, peer));
      // it may have called some of them before
      else if (answered && !denied)
        await end(share, minion, failedAsWhole(minion, hop.name, error));
      else left.push({ minion, ...failed, ...(denied && { denied }) });
      return;
    }
    const value = valueOf(outcome.value, minion);
    if (value === undefined) await end(share, minion, untold(minion, hop.name));
    else await end(share, minion, resultOf(outcomeOfValue(value), { ...hop, name: minion.name }));
  });
  await Promise.all([...gone, ...ended]);
  return left;
}

/** The older original takes six arguments and no limit. */
async function ask(
  { run, tools, hop }: HopShare,
  minions: readonly MinionBehind[],
): Promise<MinionCallOutcome> {
  const { record, nforks, params, job } = run;
  const limitMs = workLimitMs(run, minions) ?? LONGEST_MS;
  const seconds = Math.max(1, Math.round((record.timeoutMs ?? LONGEST_MS) / 1_000));
  const paths = minions.map(({ path }) => path.slice(1));
  const words = [record.module, record.method, params, paths, false, nforks];
  const options = { timeoutMs: limitMs, signal: job.signal };
  const outcome = await tools.caller.call(hop, "delegation.run", [...words, seconds], options);
  const isOlder =
    outcome.state !== "succeeded" &&
    outcome.answered &&
    outcome.error.type.includes("TypeError") &&
    outcome.error.message.includes("argument");
  return isOlder ? tools.caller.call(hop, "delegation.run", words, options) : outcome;
}

/**
 * The host's own answer, or what went wrong on the way to it: the original tells that under the name of the hop that
 * failed.
 */
function valueOf(answer: XmlRpcValue, { path }: MinionBehind): XmlRpcValue | undefined {
  if (!isStruct(answer)) return asRemoteError(answer) ? answer : undefined;
  const own = memberOf(answer, path.at(-1) ?? "");
  if (own !== undefined) return own;
  for (const hop of path.slice(1, -1)) {
    const told = memberOf(answer, hop);
    if (told !== undefined && asRemoteError(told)) return told;
  }
  return undefined;
}

/** Names are the same in upper and lower case. */
function memberOf(struct: XmlRpcStruct, name: string): XmlRpcValue | undefined {
  const key = Object.keys(struct).find((one) => one.toLowerCase() === name);
  return key === undefined ? undefined : struct[key];
}

function isStruct(value: XmlRpcValue): value is XmlRpcStruct {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === null;
}

async function end(share: HopShare, minion: MinionBehind, ending: Ending): Promise<void> {
  const { run, tools, hop } = share;
  if (run.job.isSuspended) return;
  const signed = ending.state === "succeeded" || ending.state === "failed";
  const whole: Ending = { ...ending, via: [hop.name], ...(signed && { signed: "no" }) };
  const peer = { ...hop, name: minion.name };
  await tools.journal.ended(run.job, await settle(run.job, peer, whole, tools.keeper));
}
