import { FuncError } from "../../common/errors";
import type { StartCallParams } from "../../protocol/requests";
import type { KeptConnection } from "../keptConnection";

/** Longest wait for the overlord to note that a job is cancelled. */
const CANCEL_TIMEOUT_MS = 10_000;

/**
 * Starts a job and gives its id. The signal ends the job that it comes too late for, and throws "cancelled": nobody would
 * know the id. Throws as the request "calls/start" does.
 */
export async function startJob(
  overlord: KeptConnection,
  params: StartCallParams,
  signal: AbortSignal | undefined,
): Promise<string> {
  await overlord.connection(signal);
  const { id: jobId } = await overlord.request("calls/start", params);
  if (!signal?.aborted) return jobId;
  const timeoutMs = CANCEL_TIMEOUT_MS;
  await overlord.request("jobs/cancel", { jobId }, { timeoutMs }).catch(() => undefined);
  throw new FuncError("cancelled", `The call was cancelled (job ${jobId}).`);
}
