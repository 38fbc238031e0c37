import { AboveJobs, type StartedAbove } from "../delegation/aboveJobs";
import { AboveOutputs } from "../delegation/aboveOutputs";
import { AboveProgress } from "../delegation/aboveProgress";
import { Job } from "../jobs/job";
import type { Handlers, OverlordParts } from "./service";

type DelegationRequest =
  | "delegation/start"
  | "delegation/run"
  | "delegation/collect"
  | "delegation/cancel"
  | "delegation/skipRest"
  | "delegation/readOutput"
  | "delegation/readValue";

/** What this overlord does for one above it. */
export function delegationHandlers(parts: OverlordParts): Pick<Handlers, DelegationRequest> {
  const { runner, audit } = parts;
  const jobs = new AboveJobs(parts);
  const progress = new AboveProgress();
  const outputs = new AboveOutputs({ ...parts, progress });
  const answer = ({ jobId, begun }: StartedAbove, by: string): { jobId: string } => {
    if (begun) {
      const { job, originator } = begun;
      const { module, method, spec, async: isAsync, total } = job.summary({ whole: false });
      const call = { module, method, spec, async: isAsync, total };
      audit.note("delegation/begun", { by, originator, jobId, ...call });
      audit.follow(job);
    }
    return { jobId };
  };
  return {
    "delegation/start": async ({ request, by }) => answer(await jobs.start(request, by), by),
    "delegation/run": async ({ request, by }) => answer(await jobs.run(request, by), by),
    "delegation/collect": async ({ jobId, by, cursor, waitMs }, _feed, signal) =>
      progress.collect(await jobs.find(jobId, by), { cursor, waitMs, signal }),
    "delegation/cancel": async ({ jobId, by }) => {
      const job = (await jobs.findToCancel(jobId, by))?.job;
      if (job instanceof Job && !job.finished) {
        await runner.cancel(job);
        return { found: true };
      }
      const stopped = job ? await runner.stopLeftovers(job) : 0;
      return { found: false, ...(stopped > 0 && { stopped }) };
    },
    "delegation/skipRest": async ({ jobId, by }) => {
      const { job } = await jobs.find(jobId, by);
      const found = job instanceof Job && !job.finished;
      if (found) runner.skipRest(job);
      return { found };
    },
    "delegation/readOutput": async (params, _feed, signal) =>
      outputs.readOutput(await jobs.find(params.jobId, params.by), params, signal),
    "delegation/readValue": async ({ jobId, by, ...range }) =>
      outputs.readValue(await jobs.find(jobId, by), range),
  };
}
