import { JOB_ID_LOST_IN_SPACE } from "../../protocol/jobs";
import { EXIT_FAILED, EXIT_OK } from "../exitStatus";
import { plainJson } from "../plainJson";
import { isRemoteError, renderJobStatus } from "../render";
import type { Session } from "../session";

/** `func SPEC call --jobstatus ID`: the seed's (code, results), as they stand. */
export async function jobStatus(session: Session, jobId: string): Promise<number> {
  const { json, typed } = session.options;
  const connection = await session.connect();
  const { code, results } = await connection.request("jobs/status", { jobId });
  const jobs = json ? [] : await connection.request("jobs/list", {});
  session.out.result(
    json
      ? `${JSON.stringify([code, typed ? results : plainJson(results)])}\n`
      : renderJobStatus(
          code,
          results,
          jobs.find(({ id }) => id === jobId),
        ),
  );
  const failed = code === JOB_ID_LOST_IN_SPACE || Object.values(results ?? {}).some(isRemoteError);
  return failed ? EXIT_FAILED : EXIT_OK;
}
