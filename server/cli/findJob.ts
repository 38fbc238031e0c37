import { FuncError } from "../common/errors";
import type { JobQuery, JobSummary } from "../protocol/jobs";
import { firstNames } from "./firstNames";
import type { Session } from "./session";

/** As the overlord's ids end: no other id begins so. */
const WHOLE_ID = /-[^-]+-[^-]+-\d+\.\d{6}$/;
const PAGE = 1_000;
/** Newer jobs than this are looked through for a part of an id. */
const MAX_LOOKED_THROUGH = 20_000;

/** As `findJob`, but undefined where `word` means none. */
export async function findKnownJob(session: Session, word: string): Promise<string | undefined> {
  return findJob(session, word).catch((error: unknown) => {
    if (error instanceof FuncError && error.reason === "not-found") return undefined;
    throw error;
  });
}

/**
 * The id of the job that `word` means: a whole id (known or not), the only one that begins or ends so, or "last" for
 * the newest. Throws "not-found" where it means none, "bad-argument" where it means several.
 */
export async function findJob(session: Session, word: string): Promise<string> {
  if (word === "last") {
    const [newest] = await listJobs(session, {}, 1);
    if (newest) return newest.id;
    throw new FuncError("not-found", "There is no job yet.");
  }
  if (WHOLE_ID.test(word)) return word;
  const found = (await listJobs(session, { text: word }, MAX_LOOKED_THROUGH))
    .map(({ id }) => id)
    .filter((id) => id.startsWith(word) || id.endsWith(word));
  const [only] = found;
  if (found.includes(word)) return word;
  if (only === undefined) {
    throw new FuncError(
      "not-found",
      `No job's id begins or ends with "${word}".`,
      "func jobs list shows them.",
    );
  }
  if (found.length === 1) return only;
  throw new FuncError(
    "bad-argument",
    `"${word}" begins or ends the ids of ${found.length} jobs: ${firstNames(found)}.`,
    "The end of an id, a time, tells them apart.",
  );
}

/** Jobs that fit, newest first, at most `limit`. */
export async function listJobs(
  session: Session,
  query: JobQuery,
  limit: number,
): Promise<JobSummary[]> {
  const jobs: JobSummary[] = [];
  let cursor: string | undefined;
  do {
    const page = await session.overlord.request("jobs/list", {
      ...query,
      limit: Math.min(PAGE, limit - jobs.length),
      ...(cursor !== undefined && { cursor }),
    });
    jobs.push(...page.jobs);
    cursor = page.next;
  } while (cursor !== undefined && jobs.length < limit);
  return jobs;
}
