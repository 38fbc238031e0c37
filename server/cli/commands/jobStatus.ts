import { expandJson } from "../../client/outputs";
import { JOB_ID_LOST_IN_SPACE } from "../../protocol/jobs";
import { EXIT_FAILED, EXIT_OK } from "../exitStatus";
import { JsonObject } from "../jsonObject";
import { printPieces } from "../printPieces";
import { isRemoteError, renderCode, renderStatusEntry } from "../render";
import type { Session } from "../session";

/** `func SPEC call --jobstatus ID`: the seed's (code, results), as they stand. */
export async function jobStatus(session: Session, jobId: string): Promise<number> {
  const { options, out } = session;
  const connection = await session.connect();
  const { code, results } = await connection.request("jobs/status", { jobId });
  const entries = Object.entries(results ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  if (options.json) {
    out.result(`[${code},`);
    const object = new JsonObject(out.results, connection, options.typed);
    for (const [minion, value] of entries) await object.member(minion, value);
    if (results) object.end();
    else out.result("null");
    out.result("]\n");
  } else {
    const jobs = await connection.request("jobs/list", {});
    const job = jobs.find(({ id }) => id === jobId);
    out.result(renderCode(code, job));
    for (const [minion, given] of entries) {
      const value = await expandJson(connection, given);
      await printPieces(out.results, connection, renderStatusEntry(minion, value));
    }
  }
  const failed = code === JOB_ID_LOST_IN_SPACE || entries.some(([, value]) => isRemoteError(value));
  return failed ? EXIT_FAILED : EXIT_OK;
}
