import { FuncError } from "../../common/errors";
import type { StartCallParams } from "../../protocol/requests";
import { followCall } from "../followJob";
import type { KeptConnection } from "../keptConnection";
import { resultOf } from "./outcome";
import type { Results } from "./overlordTypes";

/** Longest wait for the overlord to note that a call is cancelled. */
const CANCEL_TIMEOUT_MS = 10_000;

/**
 * Makes a call and gives all results. The signal cancels the call itself, and throws "cancelled". Throws as
 * `followCall` does.
 */
export async function callAndWait(
  overlord: KeptConnection,
  params: StartCallParams,
  signal: AbortSignal | undefined,
): Promise<Results> {
  const results: Results = {};
  const stop = new AbortController();
  let jobId: string | undefined;
  // before the job's id is known there is nothing that could be cancelled
  const abort = (): void => {
    if (jobId !== undefined) stop.abort();
  };
  signal?.addEventListener("abort", abort);
  const hold = overlord.hold();
  try {
    await overlord.connection(signal);
    await followCall(overlord, params, {
      signal: stop.signal,
      onStarted: ({ id }) => {
        jobId = id;
        if (signal?.aborted) stop.abort();
      },
      onResult: async (result) => {
        results[result.minion] = await resultOf(overlord, result, stop.signal);
      },
    });
    return results;
  } catch (error) {
    if (!stop.signal.aborted || jobId === undefined) throw error;
    const timeoutMs = CANCEL_TIMEOUT_MS;
    await overlord.request("jobs/cancel", { jobId }, { timeoutMs }).catch(() => undefined);
    throw new FuncError("cancelled", `The call was cancelled (job ${jobId}).`);
  } finally {
    hold.dispose();
    signal?.removeEventListener("abort", abort);
  }
}
