import type { MinionCallState, MinionResult } from "../../server/protocol/jobs";
import type { PlannedJob } from "./plan";

/** What is known of one job when the dust has settled. */
export interface JobOutcome {
  job: PlannedJob;
  /** Undefined where the overlord died before it had the job. */
  id: string | undefined;
  /** All attempts of each minion, oldest first. */
  attempts: ReadonlyMap<string, readonly MinionResult[]>;
}

/** Processes that began the work of a job on a minion, by the lines that they left. */
export type StartsOf = (minion: string, token: string) => readonly number[];

/** In these the work was not begun, unless they say that it may have: whoever reads them may call again. */
const NOT_BEGUN: ReadonlySet<MinionCallState> = new Set<MinionCallState>([
  "unreachable",
  "denied",
  "skipped",
  "expired",
  "timed-out",
  "cancelled",
]);
const RUNNING: ReadonlySet<MinionCallState> = new Set<MinionCallState>([
  "queued",
  "sent",
  "running",
]);
/** Killed by a signal, as a shell or funcd says it. */
const KILLED = new Set([-9, 137]);
/** Ended by a cancel. */
const TERMINATED = new Set([-15, 143]);

/**
 * Everything about a job that is not as the files of starts say; empty where all is true. `hosts`: all that there are.
 */
export function verifyJob(
  { job, id, attempts }: JobOutcome,
  hosts: readonly string[],
  startsOf: StartsOf,
  wasKilled: (minion: string, token: string) => boolean,
): string[] {
  const wrong: string[] = [];
  for (const host of hosts) {
    if (!job.minions.includes(host) && startsOf(host, job.token).length > 0) {
      wrong.push(`${job.token} (${id ?? "no job"}) ran on ${host}, which was not asked`);
    }
  }
  for (const minion of job.minions) {
    const starts = startsOf(minion, job.token);
    const say = (problem: string): void => {
      const states = (attempts.get(minion) ?? []).map(({ state }) => state).join(", ");
      wrong.push(`${job.token} on ${minion} (${id ?? "no job"}; ${states}): ${problem}`);
    };
    const tried = attempts.get(minion) ?? [];
    if (id === undefined) {
      if (starts.length > 0) say(`ran ${starts.length} times without a job`);
      continue;
    }
    if (tried.length === 0) {
      say("is missing from its job");
      continue;
    }
    if (tried.some(({ state }) => RUNNING.has(state))) say("has no final state");
    const least = tried.filter(({ state, later }) =>
      [state, later?.state].includes("succeeded"),
    ).length;
    const most = tried.filter((result) => mayHaveBegun(result)).length;
    if (starts.length < least || starts.length > most) {
      say(`began ${starts.length} times, which should be ${least} to ${most}`);
    }
    for (const { later, ...result } of tried) {
      const known = result.state === "succeeded" ? result : later;
      // a later word has small values only
      if (known?.state !== "succeeded" || (known === later && later.value === undefined)) continue;
      const problem = wrongValue(job, known, starts, wasKilled(minion, job.token));
      if (problem !== undefined) say(problem);
    }
  }
  for (const minion of attempts.keys()) {
    if (!job.minions.includes(minion)) wrong.push(`${job.token}: ${minion} is none of its minions`);
  }
  return wrong;
}

function mayHaveBegun({ state, mayHaveRun }: MinionResult): boolean {
  return mayHaveRun === true || !NOT_BEGUN.has(state);
}

/** A value has to be of the one process that ran. */
function wrongValue(
  job: PlannedJob,
  result: Pick<MinionResult, "value" | "valueBytes">,
  starts: readonly number[],
  killed: boolean,
): string | undefined {
  // what is large is looked at by its size alone
  if (result.value === undefined) {
    return result.valueBytes === undefined ? "succeeded without a value" : undefined;
  }
  const [status, output, errors] = Array.isArray(result.value) ? result.value : [];
  if (typeof status !== "number") return `answered ${JSON.stringify(result.value).slice(0, 200)}`;
  if (KILLED.has(status) && killed) return undefined;
  if (TERMINATED.has(status) && job.cancelAfterMs !== undefined) return undefined;
  if (status !== job.exitStatus) return `ended with ${status}, which should be ${job.exitStatus}`;
  if (typeof output === "object" && output !== null && "$output" in output) return undefined;
  const expected = starts.some((pid) => output === `${job.token} ${pid}\n`);
  if (job.bytes === 0 && !expected) return `printed ${JSON.stringify(output).slice(0, 200)}`;
  return errors === "" ? undefined : `wrote ${JSON.stringify(errors).slice(0, 200)} as errors`;
}
