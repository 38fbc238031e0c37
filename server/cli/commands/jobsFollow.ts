import { followJob } from "../../client/followJob";
import { isCommandRun } from "../../protocol/jobs";
import { hasEarlyOutput } from "../earlyOutput";
import { findJob } from "../findJob";
import { jobMinions, type JobMinions } from "../jobMinions";
import { QuietNote } from "../quietNote";
import type { Session } from "../session";
import { LiveOutput } from "./liveOutput";
import { runJob } from "./runJob";

/**
 * `func jobs follow ID`: what the job's commands write, as they write it, and the results, those that are there and
 * those to come. With --json the results only: they have every byte. Of a job that is over also what commands had
 * written that were ended, as long as the minions have it.
 */
export async function jobsFollow(
  session: Session,
  { job, minion }: { job: string; minion?: string },
): Promise<number> {
  const { overlord } = session;
  const jobId = await findJob(session, job);
  const chosen = minion === undefined ? undefined : await jobMinions(session, jobId, minion);
  const names = chosen?.results.map((result) => result.minion);
  const { summary } = chosen ?? (await overlord.request("jobs/watch", { jobId, limit: 1 }));
  const written = summary.finished
    ? stoppedMinions(chosen ?? (await jobMinions(session, jobId, undefined)))
    : names;
  const isLive = !session.options.json && written?.length !== 0;
  const quiet = new QuietNote(
    (text) => {
      session.out.note(text);
    },
    async () => (await jobMinions(session, jobId, minion)).results,
  );
  const onNews = (): void => {
    quiet.news();
  };
  const live = isLive ? new LiveOutput(session, jobId, written, onNews) : undefined;
  const isFollowed = (name: string): boolean => written?.includes(name) ?? true;
  try {
    return await runJob(
      session,
      (following) =>
        followJob(overlord, jobId, {
          ...following,
          onProgress: onNews,
          ...(names && { minions: new Set(names) }),
        }),
      {
        followed: "watched job",
        tellsWay: true,
        ...(live && {
          show: (result, called) => isFollowed(result.minion) && live.show(result, called),
        }),
      },
    );
  } finally {
    quiet.close();
    await live?.close();
  }
}

function stoppedMinions({ summary, results }: JobMinions): string[] {
  if (!isCommandRun(summary)) return [];
  return results.filter(hasEarlyOutput).map(({ minion }) => minion);
}
