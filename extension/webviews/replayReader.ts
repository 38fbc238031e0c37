import type { JobHistoryEvent, JobSummary } from "../../server/protocol/jobs";
import { asFuncError } from "../errors";
import type { OverlordSession } from "../overlordSession";
import { kindOf } from "../results/resultRow";
import type { ReplayStep, ToResults } from "./resultsProtocol";

const PAGE = 2_000;
/** Ten thousand minions with a few attempts each. */
const MAX_STEPS = 200_000;

/** Reads all that happened to the minions of a job, and sends it in parts. Never throws. */
export async function sendReplay(
  session: OverlordSession,
  { id: jobId }: JobSummary,
  post: (message: ToResults) => void,
): Promise<void> {
  try {
    for (let from = 0; ; from += PAGE) {
      const params = { jobId, from, limit: PAGE };
      const { events, total } = await session.request("jobs/history", params);
      const complete = events.length === 0 || from + events.length >= Math.min(total, MAX_STEPS);
      post({ type: "replay", steps: events.flatMap(stepOf), complete });
      if (complete) return;
    }
  } catch (error) {
    post({ type: "replay", steps: [], complete: true, problem: asFuncError(error).message });
  }
}

function stepOf(event: JobHistoryEvent): ReplayStep[] {
  if (event.kind === "job") return [];
  const { atMs, minion, state } = event;
  return [{ atMs, minion, kind: kindOf(state), label: state }];
}
