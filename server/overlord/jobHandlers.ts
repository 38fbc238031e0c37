import { AllJobsSearch } from "../jobs/search/allJobsSearch";
import type { OverlordRequests } from "../protocol/requests";
import { behindToo } from "../delegation/behindToo";
import { findDelegatedTargets, type FoundTargets } from "../delegation/findDelegatedTargets";
import { hopsCalledToo } from "../delegation/hopsCalledToo";
import { findCanaries } from "../jobs/engine/canaries";
import { followedJob, storedFollowedJob } from "../jobs/follow/followedJob";
import { Job } from "../jobs/job";
import { shownPage } from "../jobs/jobEntry";
import { namedMinions } from "../jobs/namedMinions";
import { JobSearch } from "../jobs/search/jobSearch";
import { jobStatus } from "../jobs/jobStatus";
import type { Handlers, OverlordParts } from "./service";

const MAX_LISTED = 100;

type JobRequest = Extract<
  keyof OverlordRequests,
  `jobs/${string}` | `calls/${string}` | `outputs/${string}`
>;

/** What answers the requests about calls and jobs. */
export function jobHandlers(parts: OverlordParts): Pick<Handlers, JobRequest> {
  const { jobs, archive, store, runner, outputs, keeper } = parts;
  const search = new JobSearch(outputs);
  const searchAll = new AllJobsSearch(store, outputs);
  return {
    "calls/start": async (params, feed, signal, client) => {
      const { minions, behind, warning } = await findDelegatedTargets(params, parts);
      const names = namesOf({ minions, behind }).sort();
      const canaries = await findCanaries(params.batch, names, async (spec) =>
        namesOf(await findDelegatedTargets({ ...params, spec, exclude: undefined }, parts)),
      );
      // the order then depends on what the method does
      const hops = hopsCalledToo(minions, behind).flatMap((hop) => parts.inventory.find(hop) ?? []);
      if (hops.length > 0) await parts.methods.describe(hops, signal).catch(() => undefined);
      const left = params.background ? undefined : await behindToo(params, parts);
      const job = await runner.start(params, minions, {
        canaries,
        behind,
        ...(warning !== undefined && { warning }),
        ...(client && { startedBy: client.kind }),
      });
      parts.audit.follow(job);
      feed.watch(job);
      return { ...job.summary(), ...(left && { behindToo: left }) };
    },

    "jobs/list": ({ limit = MAX_LISTED, cursor, ...query }, feed) => {
      feed.listsJobs();
      return archive.list(query, limit, cursor);
    },
    "jobs/call": ({ jobId }) => archive.call(jobId),
    "jobs/retry": async ({ jobId, minions }, feed) => {
      const job = await runner.retry(jobId, minions);
      parts.audit.follow(job);
      feed.watch(job);
      return job.summary();
    },
    "jobs/delete": async ({ jobIds }) => ({ deleted: await archive.delete(jobIds) }),
    "jobs/history": ({ jobId, from, limit }) => archive.history(jobId, from, limit),
    "jobs/attempts": async ({ jobId, minion }) => ({
      results: await archive.attempts(jobId, minion),
    }),
    "jobs/searchAll": (wanted, _feed, signal) => searchAll.search(wanted, signal),
    "jobs/follow": async ({ jobId, ...request }, feed) => {
      const job = await archive.get(jobId);
      const followed =
        job instanceof Job
          ? followedJob(job)
          : await storedFollowedJob(job, await store.record(job.id));
      parts.follows.follow(feed, followed, request);
      return {};
    },
    "jobs/unfollow": ({ jobId }, feed) => {
      parts.follows.unfollow(feed, jobId);
      return {};
    },
    "jobs/results": async ({ jobId, from, limit, minion }) => {
      const job = await archive.get(jobId);
      const page = await job.page(from, limit);
      if (minion === undefined) return { results: shownPage(page) };
      const isMeant = await namedMinions(minion, job, store);
      return { results: shownPage(page.filter(({ result }) => isMeant(result.minion))) };
    },
    "jobs/watch": async ({ jobId, limit }, feed) => {
      const job = await archive.get(jobId);
      if (!(job instanceof Job)) {
        if (!job.summary().finished) feed.watchOnceResumed(job.id);
        return job.snapshot(limit);
      }
      const snapshot = job.snapshot(limit);
      feed.watch(job);
      return snapshot;
    },
    "jobs/unwatch": ({ jobId }, feed) => {
      feed.unwatch(jobId);
      return {};
    },
    "jobs/status": async ({ jobId }) => jobStatus(await archive.find(jobId), keeper),
    "jobs/result": async ({ jobId, minion }) => {
      const job = await archive.get(jobId);
      return (await job.entry(minion)).result;
    },
    "jobs/search": async ({ jobId, ...wanted }, _feed, signal) =>
      search.search(await archive.get(jobId), wanted, signal),
    "outputs/read": async ({ sha256, offset, length }) => {
      const { bytes, total } = await outputs.read(sha256, offset, length);
      return { base64: bytes.toString("base64"), bytes: total };
    },
    "jobs/cancel": async ({ jobId }) => {
      const job = await archive.get(jobId);
      const live = jobs.find(jobId);
      const view = live ?? job;
      if (view.summary().finished) {
        const stopped = await runner.stopLeftovers(view);
        return { ...view.summary(), ...(stopped > 0 && { stopped }) };
      }
      if (live) await runner.cancel(live);
      return view.summary();
    },
  };
}

function namesOf({ minions, behind }: FoundTargets): string[] {
  return [...minions, ...behind].map(({ name }) => name);
}
