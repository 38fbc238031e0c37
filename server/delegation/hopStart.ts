import { hash } from "node:crypto";
import { isPassing } from "../calls/passingErrors";
import type { JobRun } from "../jobs/engine/jobRun";
import type { MinionBehind } from "../jobs/engine/minionsBehind";
import { cancelledResult, expiredResult, type Ending } from "../jobs/engine/outcome";
import { settle } from "../jobs/engine/settle";
import type { DelegatedRequest, DelegatedTarget, SignedCall } from "../protocol/delegation";
import type { MinionRecord } from "../protocol/minions";
import { notSent, type LeftBehind } from "./hopEndings";
import type { HopShare } from "./hopJob";
import { awayLimitMs, refusedLimitMs } from "./hopLimits";
import { NO_OVERLORD, reasonOfRemoteType } from "./overlordErrors";
import { callOriginalHop } from "./originalHop";

/** The overlord there may have to be started first, and writes the call to its disk. */
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 5_000;
/** A start that is not answered for so long may take another way as well: no host runs one call twice. */
const OFFER_AFTER_MS = 10_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** What a hop says that speaks the original's protocol only. */
const LACKING = /ModuleNotFoundException|InvalidMethodException/;

const SECRET_GONE =
  "the overlord ended before it was called, and its arguments are secret and kept nowhere.";

/** `minions`: those that nobody else has taken over by then. */
type Started = { hopJobId: string; minions: readonly MinionBehind[] } | { left: LeftBehind[] };

/** Asks a hop to call those behind it, again with the same ids until it has answered. Never rejects. */
export async function startOnHop(whole: HopShare): Promise<Started> {
  const { run, tools, hop } = whole;
  let share = whole;
  let { minions } = share;
  const { job, limit } = run;
  const known = knownJob(run, minions);
  if (known !== undefined) return { hopJobId: known, minions };
  const first = minions[0] && share.signed.targets.get(minions[0].name);
  if (!first) return { left: [] };
  const stopped = AbortSignal.any([job.signal, limit.signal]);
  const { call } = share.signed;
  if (!call) return endAll(share, false, (minion) => notSent(minion, SECRET_GONE));
  const document = JSON.stringify(requestOf(share, call));
  const startedAs = startId(first.callId, document);
  let callId = startedAs;
  let unsure = 0;
  let refusedSinceMs: number | undefined;
  // an earlier process may have sent it
  let mayHaveRun = minions.some(({ name }) => run.past.has(name));
  let wasOffered = false;
  let pauseMs = FIRST_PAUSE_MS;
  const sinceMs = performance.now();
  for (;;) {
    if (job.isSuspended) return { left: [] };
    if (stopped.aborted) {
      const hopJobId = mayHaveRun ? await askAgain(share, callId, document) : undefined;
      if (hopJobId !== undefined) return { hopJobId, minions };
      return endAll(share, mayHaveRun, (minion) => stoppedEnding(run, hop, minion));
    }
    for (const { name } of minions) job.update(name, { state: "sent", startedAtMs: Date.now() });
    const outcome = await tools.caller.call(hop, "delegation.start", [document], {
      timeoutMs: START_TIMEOUT_MS,
      signal: stopped,
      callId,
    });
    if (outcome.state === "succeeded") {
      const { value } = outcome;
      if (typeof value === "string" && value !== "") {
        noteStarted(share, value);
        return { hopJobId: value, minions };
      }
      return leave(share, "it answered the start without a job id.", true);
    }
    const { error, answered } = outcome;
    const reason = answered ? reasonOfRemoteType(error.type) : undefined;
    refusedSinceMs = reason === "unavailable" ? (refusedSinceMs ?? performance.now()) : undefined;
    if (answered && LACKING.test(error.type)) {
      return { left: await callOriginalHop(share) };
    }
    if (answered && isPassing(error.type)) {
      // its overlord, killed or frozen, may have the start, or take it later; funcd would answer the same id with this again
      mayHaveRun = true;
      callId = `${startedAs}:${++unsure}`;
    } else if (answered) {
      const cause = error.type === NO_OVERLORD ? `${hop.name} is no sub-overlord.` : error.message;
      return leave(share, cause, mayHaveRun, outcome.state === "denied");
    }
    mayHaveRun ||= outcome.mayHaveRun;
    if (outcome.state === "cancelled") {
      await tools.seen.next(hop.name, pauseMs, stopped);
      continue;
    }
    const nowMs = performance.now();
    if (mayHaveRun && !wasOffered && nowMs - sinceMs > OFFER_AFTER_MS) {
      wasOffered = true;
      const taken = new Set(await share.takeOver(minions));
      minions = minions.filter((minion) => !taken.has(minion));
      share = { ...share, minions };
      if (minions.length === 0) return { left: [] };
    }
    const isPastDelivery = nowMs > (run.deliverUntilMs ?? 0);
    if (isPastDelivery && nowMs - (refusedSinceMs ?? nowMs) > refusedLimitMs(run)) {
      return leave(share, error.message, true);
    }
    if (mayHaveRun ? nowMs - sinceMs > awayLimitMs(run) : isPastDelivery) {
      if (mayHaveRun || run.deliverUntilMs === undefined) {
        return leave(share, error.message, mayHaveRun);
      }
      return endAll(share, false, ({ name }) => expiredResult({ ...hop, name }, error.message));
    }
    if (!mayHaveRun) for (const { name } of minions) job.update(name, { state: "queued" });
    await tools.seen.next(hop.name, pauseMs * (0.5 + Math.random()), stopped);
    pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
  }
}

/** The id of a job that has to be stopped; undefined where the hop does not tell it soon. */
async function askAgain(
  { tools, hop }: HopShare,
  callId: string,
  document: string,
): Promise<string | undefined> {
  const outcome = await tools.caller.call(hop, "delegation.start", [document], {
    timeoutMs: STOP_TIMEOUT_MS,
    signal: AbortSignal.timeout(STOP_TIMEOUT_MS),
    callId,
  });
  return outcome.state === "succeeded" && typeof outcome.value === "string"
    ? outcome.value
    : undefined;
}

/** Of this very start. The hop's overlord knows a later one of the same calls, signed anew, by the call id in it. */
function startId(firstCallId: string, document: string): string {
  return `${firstCallId}:start:${hash("sha256", document, "base64url")}`;
}

/** What goes to the hop. */
function requestOf({ run, minions, signed }: HopShare, call: SignedCall): DelegatedRequest {
  const { record, limit, nforks, deliverUntilMs } = run;
  const { left } = limit;
  const deliveryLimitMs = deliverUntilMs && Math.round(deliverUntilMs - performance.now());
  return {
    call,
    spec: record.spec,
    targets: minions.flatMap(({ name, path }): DelegatedTarget[] => {
      const target = signed.targets.get(name);
      return target ? [{ path: path.slice(1), ...target }] : [];
    }),
    nforks,
    ...(record.keepPlaces && { keepPlaces: true }),
    ...(record.timeoutMs !== undefined && { timeoutMs: record.timeoutMs }),
    ...(deliveryLimitMs !== undefined && deliveryLimitMs > 0 && { deliveryLimitMs }),
    ...(left !== undefined && { maxErrors: left }),
    ...(run.secret && { secret: true }),
    ...(record.childrenFirst && { childrenFirst: true }),
  };
}

/** Of an earlier process: those of one share have had one start. */
function knownJob({ past }: JobRun, [first]: readonly MinionBehind[]): string | undefined {
  return first && past.get(first.name)?.minionJobId;
}

function noteStarted({ run, tools, minions }: HopShare, hopJobId: string): void {
  const { job } = run;
  for (const { name, path } of minions) {
    job.update(name, { state: "sent", minionJobId: hopJobId, via: path.slice(0, -1) });
  }
  tools.journal.startedBehind(job, minions, hopJobId, run.secret);
}

function leave(
  { minions, hop }: HopShare,
  cause: string,
  mayHaveRun: boolean,
  denied = false,
): Started {
  const failed = { failedHop: hop.name, cause, mayHaveRun, ...(denied && { denied }) };
  return { left: minions.map((minion) => ({ minion, ...failed })) };
}

async function endAll(
  { run, tools, hop, minions }: HopShare,
  mayHaveRun: boolean,
  endingOf: (minion: MinionBehind) => Ending,
): Promise<Started> {
  await Promise.all(
    minions.map(async (minion) => {
      const ending = { ...endingOf(minion), ...(mayHaveRun && { mayHaveRun }), via: [hop.name] };
      const peer = { ...hop, name: minion.name };
      await tools.journal.ended(run.job, await settle(run.job, peer, ending, tools.keeper));
    }),
  );
  return { left: [] };
}

function stoppedEnding({ job, limit }: JobRun, hop: MinionRecord, minion: MinionBehind): Ending {
  return job.isCancelled ? cancelledResult({ ...hop, name: minion.name }) : limit.skipped(minion);
}
