import { FuncError } from "../../common/errors";
import type { JobPage, JobQuery, JobSummary } from "../../protocol/jobs";
import { fnmatch } from "../../targets/fnmatch";
import { minionGlob } from "../minionGlob";
import { LiteralFinder } from "../search/literalFinder";
import { targetsText } from "../../protocol/jobs";
import type { SqlValue } from "./database";
import type { Roster } from "./dayJob";
import type { JobIndex } from "./jobIndex";
import { hasAny } from "./nameSet";

const CURSOR = /^(-?\d{1,16}) (.+)$/s;

/** Where a list goes on: behind this job. */
export interface ListPlace {
  createdAtMs: number;
  id: string;
}

/** What lists are made of; `find` throws where a job's day is damaged. */
export interface ListedJobs {
  index: JobIndex;
  find(jobId: string): { job: { roster: Roster } } | undefined;
}

/** Newest first. Throws FuncError "bad-argument" for a cursor that is none. */
export function listJobs(
  databases: ListedJobs,
  query: JobQuery,
  limit: number,
  cursor?: string,
): JobPage {
  const jobs: JobSummary[] = [];
  for (const job of matchingJobs(databases, query, placeOf(cursor))) {
    const last = jobs.at(-1);
    if (last && jobs.length >= limit) {
      return { jobs, next: `${last.createdAtMs} ${last.id}` };
    }
    jobs.push(job);
  }
  return { jobs };
}

/** The jobs that fit, newest first, behind `after`. The index is not to be changed meanwhile. */
export function* matchingJobs(
  databases: ListedJobs,
  query: JobQuery,
  after?: ListPlace,
): Generator<JobSummary> {
  const { index } = databases;
  const { where, values } = conditions(query, after);
  const rows = index.database.rows(
    `SELECT roster, module, method, summary FROM jobs${where} ORDER BY created_at DESC, id DESC`,
    values,
  );
  const hasMinion = rosterTest(index, query.minion);
  const hasPath = pathTest(databases, query.minion);
  const isModule = globTest(query.module);
  const isMethod = globTest(query.method);
  const hasText = textTest(query.text);
  for (const [roster, module, method, summary] of rows) {
    if (!isModule(String(module)) || !isMethod(String(method))) continue;
    if (!hasMinion(Number(roster))) continue;
    const job = hasText(String(summary));
    if (job && hasPath(job.id)) yield job;
  }
}

function placeOf(cursor: string | undefined): ListPlace | undefined {
  if (cursor === undefined) return undefined;
  const [, createdAtMs, id] = CURSOR.exec(cursor) ?? [];
  if (createdAtMs === undefined || id === undefined) {
    throw new FuncError("bad-argument", 'jobs/list: "cursor" is none of an answer.');
  }
  return { createdAtMs: Number(createdAtMs), id };
}

function conditions(
  { state, sinceMs, untilMs }: JobQuery,
  after: ListPlace | undefined,
): { where: string; values: SqlValue[] } {
  const parts: string[] = [];
  const values: SqlValue[] = [];
  if (state === "running") parts.push("finished_at IS NULL");
  if (state === "finished") parts.push("finished_at IS NOT NULL");
  if (state === "problems") parts.push("problems = 1");
  if (sinceMs !== undefined) {
    parts.push("created_at >= ?");
    values.push(sinceMs);
  }
  if (untilMs !== undefined) {
    parts.push("created_at <= ?");
    values.push(untilMs);
  }
  if (after) {
    parts.push("(created_at, id) < (?, ?)");
    values.push(after.createdAtMs, after.id);
  }
  return { where: parts.length > 0 ? ` WHERE ${parts.join(" AND ")}` : "", values };
}

/** Every name is looked at once, whatever the number of jobs, and jobs of the same minions once. */
function rosterTest(index: JobIndex, glob: string | undefined): (roster: number) => boolean {
  if (glob === undefined) return () => true;
  const { mayMean } = minionGlob(glob);
  const wanted = new Set<number>();
  for (const [name, text] of index.database.rows("SELECT name, text FROM names")) {
    if (mayMean(String(text))) wanted.add(Number(name));
  }
  if (wanted.size === 0) return () => false;
  const known = new Map<number, boolean>();
  return (roster) => {
    let found = known.get(roster);
    if (found === undefined) {
      const [names] =
        index.database.first("SELECT names FROM rosters WHERE roster = ?", [roster]) ?? [];
      found = names instanceof Uint8Array && hasAny(names, wanted);
      known.set(roster, found);
    }
    return found;
  };
}

/** The index has no paths; they are the same for all jobs of a roster. What is damaged is found by nothing. */
function pathTest(databases: ListedJobs, glob: string | undefined): (jobId: string) => boolean {
  const minions = glob === undefined ? undefined : minionGlob(glob);
  if (!minions?.needsPath) return () => true;
  const known = new WeakMap<Roster, boolean>();
  return (jobId) => {
    try {
      const roster = databases.find(jobId)?.job.roster;
      if (!roster) return false;
      const found = known.get(roster) ?? roster.minions.some((minion) => minions.means(minion));
      known.set(roster, found);
      return found;
    } catch {
      return false;
    }
  };
}

function globTest(glob: string | undefined): (name: string) => boolean {
  return glob === undefined ? () => true : fnmatch(glob);
}

/** Gives the summary, from its JSON, where the text is in what people see of the job. */
function textTest(text: string | undefined): (json: string) => JobSummary | undefined {
  if (text === undefined || text === "") return (json) => JSON.parse(json) as JobSummary;
  const finder = new LiteralFinder(text, false);
  return (json) => {
    // what is not in the JSON, is in no part of it; but two parts can be in one: "web* without web9"
    const summary = JSON.parse(json) as JobSummary;
    const shown = [
      summary.id,
      targetsText(summary),
      `${summary.module}.${summary.method}`,
      summary.argsText,
    ];
    return shown.some((part) => finder.find(part)) ? summary : undefined;
  };
}
