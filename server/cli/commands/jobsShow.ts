import { FINAL_STATES, type MinionResult } from "../../protocol/jobs";
import type { JsonValue } from "../../protocol/value";
import { awayHopsText } from "../awayHops";
import { earlyOutputText } from "../earlyOutput";
import { EXIT_FAILED, EXIT_OK } from "../exitStatus";
import { failureText } from "../failureText";
import { findJob } from "../findJob";
import { JsonObject } from "../jsonObject";
import { jobHeading, timeText } from "../jobTable";
import { jobMinions, type JobMinions } from "../jobMinions";
import { DELEGATION_MEMBER, delegationJson, LATER_MEMBER, laterJson } from "../resultWay";
import { withNextStep } from "../resultStep";
import type { Session } from "../session";
import { jsonResult, printValue } from "./runJob";

export interface JobsShow {
  job: string;
  /** Glob. */
  minion?: string;
  /** All results that a minion gave, also those of earlier attempts. */
  attempts: boolean;
}

/** `func jobs show ID`: what is known of a job, from the overlord alone; all of it on stdout. */
export async function jobsShow(session: Session, wanted: JobsShow): Promise<number> {
  const { options, out } = session;
  const jobId = await findJob(session, wanted.job);
  const job = await jobMinions(session, jobId, wanted.minion);
  const failed = job.results.some(({ state }) => FINAL_STATES.has(state) && state !== "succeeded");
  if (options.json) {
    await printJson(session, job, wanted.attempts);
  } else {
    out.result(jobHeading(job.summary));
    if (wanted.attempts) {
      for (const result of job.results) await printAttempts(session, job, result);
    } else {
      await printAll(session, job);
    }
    out.result(earlyOutputText(job.summary, job.results));
    out.note(await awayHopsText(session.overlord, job.results));
  }
  return failed ? EXIT_FAILED : EXIT_OK;
}

/**
 * One object: host to result, those that run left out; with attempts: host to their results, oldest first. Of a
 * delegated job also the way of each, and of any what was told after its end.
 */
async function printJson(session: Session, job: JobMinions, attempts: boolean): Promise<void> {
  const { out, options, overlord } = session;
  const object = new JsonObject(out.results, overlord, options.typed);
  for (const result of job.results) {
    const given = attempts ? await attemptsOf(session, job, result) : [result];
    const values: JsonValue[] = [];
    for (const one of given) {
      if (FINAL_STATES.has(one.state)) values.push(jsonResult(await whole(session, job, one)));
    }
    const [value] = values;
    if (attempts) await object.member(result.minion, values);
    else if (value !== undefined) await object.member(result.minion, value);
  }
  if (job.summary.delegate) {
    await object.member(DELEGATION_MEMBER, delegationJson(job.summary, job.results));
  }
  const later = laterJson(job.results);
  if (later !== undefined) await object.member(LATER_MEMBER, later);
  object.end();
  out.result("\n");
}

async function printAttempts(session: Session, job: JobMinions, last: MinionResult): Promise<void> {
  for (const result of await attemptsOf(session, job, last)) {
    const { attempt = 1, startedAtMs } = result;
    const when = startedAtMs === undefined ? "" : ` at ${timeText(startedAtMs)}`;
    session.out.result(`${result.minion}: attempt ${attempt}${when}:\n`);
    await printOne(session, job, result);
  }
}

async function attemptsOf(
  { overlord }: Session,
  { summary }: JobMinions,
  last: MinionResult,
): Promise<MinionResult[]> {
  if ((last.attempt ?? 1) < 2) return [last];
  const { minion } = last;
  const { results } = await overlord.request("jobs/attempts", { jobId: summary.id, minion });
  return results;
}

/** On a terminal those that have no value come last, as they fill it; elsewhere each has its place. */
async function printAll(session: Session, job: JobMinions): Promise<void> {
  const isFolded = session.out.results.terminal;
  const folded: MinionResult[] = [];
  for (const result of job.results) {
    const hasMore = result.state === "succeeded" || result.later !== undefined;
    if (isFolded && !hasMore) folded.push(await forPeople(session, job, result));
    else await printOne(session, job, result);
  }
  session.out.result(failureText(folded, { tellsWay: true, namesFew: true }));
}

async function printOne(session: Session, job: JobMinions, result: MinionResult): Promise<void> {
  const { out } = session;
  const shown = await forPeople(session, job, result);
  if (shown.state === "succeeded") await printValue(session, shown, true);
  else out.result(failureText([shown], { tellsWay: true, namesFew: false }));
  if (result.later) out.result(`    ${result.later.message}\n`);
}

async function forPeople(
  session: Session,
  job: JobMinions,
  result: MinionResult,
): Promise<MinionResult> {
  if (!FINAL_STATES.has(result.state)) return result;
  return withNextStep(await whole(session, job, result), job.summary);
}

/** With what was left out for its size; of earlier attempts there is no more than this. */
async function whole(
  { overlord }: Session,
  { summary, results }: JobMinions,
  result: MinionResult,
): Promise<MinionResult> {
  const leftOut = result.value === undefined && result.valueBytes !== undefined;
  if ((!leftOut && !result.error?.cut) || !results.includes(result)) return result;
  return overlord.request("jobs/result", { jobId: summary.id, minion: result.minion });
}
