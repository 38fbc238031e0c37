import type { JobQuery } from "../../protocol/jobs";
import { EXIT_FAILED, EXIT_OK } from "../exitStatus";
import type { Session } from "../session";
import { refuseUnknownMinion } from "../unknownMinion";

export interface JobsSearch {
  text: string;
  query: JobQuery;
  matchCase: boolean;
}

/**
 * `func jobs search TEXT`: where the results of jobs contain it, newest job first; 1 where none does, as grep. Throws
 * "no-match" where no job was searched, and nobody knows the minion.
 */
export async function jobsSearch(
  session: Session,
  { text, query, matchCase }: JobsSearch,
): Promise<number> {
  const { out, options, overlord } = session;
  let found = 0;
  let cursor: string | undefined;
  for (;;) {
    const answer = await overlord.request("jobs/searchAll", {
      text,
      query,
      ...(matchCase && { matchCase }),
      ...(cursor !== undefined && { cursor }),
    });
    for (const match of answer.matches) {
      const { jobId, minion, line } = match;
      const front = found++ === 0 ? "[" : ",";
      out.result(
        options.json ? `${front}${JSON.stringify(match)}` : `${jobId} ${minion}: ${line}\n`,
      );
    }
    cursor = answer.next;
    if (cursor !== undefined) continue;
    if (answer.searched === 0 && query.minion !== undefined) {
      await refuseUnknownMinion(session, query.minion);
    }
    if (options.json) out.result(found === 0 ? "[]\n" : "]\n");
    const where = answer.searched === 1 ? "1 job" : `${answer.searched} jobs`;
    out.note(`${found} ${found === 1 ? "result" : "results"} in ${where}.\n`);
    return found > 0 ? EXIT_OK : EXIT_FAILED;
  }
}
