import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { JobOutput, JobProgress, MinionResult } from "../../server/protocol/jobs";
import { until } from "../fixtures/overlordBundle";
import { startTreeFleet, TOP, type TreeFleet } from "../fixtures/treeFleet";

const LIMIT_MS = 120_000;
const PING = { module: "test", method: "ping", delegate: true };
const RUN = { module: "command", method: "run", delegate: true };

describe("three tiers", () => {
  let fleet: TreeFleet;
  beforeAll(async () => {
    fleet = await startTreeFleet({ tiers: [1, 2, 1] });
    await fleet.writeMap();
  }, LIMIT_MS);
  afterAll(() => fleet.close(), LIMIT_MS);

  it(
    "answer as one, also where a hop has no leaves of its own",
    async () => {
      const all = await fleet.call({ ...PING, spec: "*" });
      expect([...all.keys()]).toEqual(["leaf1", "leaf2", "mid1", "mid2", "mid3"]);
      for (const result of all.values()) expect(result).toMatchObject({ value: 1 });
      expect(all.get("leaf2")).toMatchObject({ via: ["mid1", "mid3"], signed: "first" });
      const leaves = await fleet.call({ ...PING, spec: "leaf*" });
      expect([...leaves.values()].map(({ signed }) => signed)).toEqual(["yes", "yes"]);
    },
    LIMIT_MS,
  );

  it(
    "show output and first results while others run, and pass a cancel on",
    async () => {
      const connection = await fleet.another();
      const progress: JobProgress[] = [];
      const outputs: JobOutput[] = [];
      connection.on("jobs/progress", (one) => progress.push(one));
      connection.on("jobs/output", (one) => outputs.push(one));
      const job = await connection.request("calls/start", {
        ...RUN,
        spec: "leaf*",
        args: [`mkdir ${fleet.root}/first 2>/dev/null && exit 0; echo begun; sleep 60`],
        async: true,
      });
      await connection.request("jobs/follow", { jobId: job.id });
      const last = (): MinionResult[] => [...lastOf(progress).values()];
      await until(() => last().some(({ state }) => state === "succeeded"));
      await until(() => outputs.flatMap(({ pieces }) => pieces).some(({ text }) => text !== ""));
      expect(progress.at(-1)?.summary.finished).toBe(false);
      await connection.request("jobs/cancel", { jobId: job.id });
      await until(() => progress.at(-1)?.summary.finished === true);
      const states = last().map(({ state }) => state);
      expect(states.sort()).toEqual(["cancelled", "succeeded"]);
      connection.dispose();
    },
    LIMIT_MS,
  );

  it(
    "go on after all overlords were killed in mid-job, and run nothing twice",
    async () => {
      const connection = await fleet.connection();
      const runs = join(fleet.root, "runs");
      const job = await connection.request("calls/start", {
        ...RUN,
        spec: "leaf*",
        args: [`echo x >> ${runs}; sleep 5; echo end`],
        async: true,
      });
      await until(async () => (await linesOf(runs)) === 2);
      for (const overlord of fleet.overlords) await fleet.killOverlord(overlord);
      const next = await fleet.connection(TOP);
      await until(async () => {
        const { summary } = await next.request("jobs/watch", { jobId: job.id });
        return summary.finished;
      });
      const { results } = await next.request("jobs/watch", { jobId: job.id });
      for (const result of results) expect(result).toMatchObject({ value: [0, "end\n", ""] });
      expect(await linesOf(runs)).toBe(2);
    },
    LIMIT_MS,
  );

  it(
    "go on with a call that waits, as the same job of each hop",
    async () => {
      const connection = await fleet.connection();
      const job = await connection.request("calls/start", {
        ...RUN,
        spec: "leaf*",
        args: [`mkdir ${fleet.root}/sooner 2>/dev/null || sleep 6; echo end`],
      });
      const progress = async (): Promise<JobProgress> =>
        (await fleet.connection(TOP)).request("jobs/watch", { jobId: job.id });
      const hopJobs = async (): Promise<number> => {
        const { jobs } = await (await fleet.connection("mid1")).request("jobs/list", {});
        return jobs.length;
      };
      await until(async () => (await progress()).summary.counts.succeeded === 1);
      const jobs = await hopJobs();
      await fleet.killOverlord(TOP);
      await until(async () => (await progress()).summary.finished);
      const { results } = await progress();
      for (const result of results) expect(result).toMatchObject({ value: [0, "end\n", ""] });
      expect(await hopJobs()).toBe(jobs);
    },
    LIMIT_MS,
  );

  it(
    "go on with a call that waits where sub-overlords are killed or restarted, and run nothing twice",
    async () => {
      const runs = join(fleet.root, "syncRuns");
      const calling = fleet.call({
        ...RUN,
        spec: "leaf*",
        args: [`echo x >> ${runs}; sleep 4; echo end`],
      });
      await until(async () => (await linesOf(runs)) === 2);
      await fleet.killOverlord("mid1");
      await fleet.killOverlord("mid2");
      await fleet.stopOverlord("mid3");
      for (const [, result] of await calling) {
        expect(result).toMatchObject({ value: [0, "end\n", ""] });
      }
      expect(await linesOf(runs)).toBe(2);
    },
    LIMIT_MS,
  );

  it(
    "call no more hosts once too many have failed",
    async () => {
      const results = await fleet.call({
        ...RUN,
        spec: "leaf*",
        args: ["exit 3"],
        batch: { size: "1" },
        maxErrors: 0,
      });
      expect([...results.values()].map(({ state }) => state)).toEqual(["succeeded", "skipped"]);
    },
    LIMIT_MS,
  );

  it(
    "tell upwards what a hop further down told only after a cancel, also to the next overlord at the top",
    async () => {
      const connection = await fleet.connection();
      const [go, runs] = [join(fleet.root, "goOn"), join(fleet.root, "runsOn")];
      const { id: jobId } = await connection.request("calls/start", {
        ...RUN,
        spec: "leaf1",
        args: [`echo x >> ${runs}; until [ -e ${go} ]; do sleep 0.1; done; echo end`],
      });
      await until(async () => (await linesOf(runs)) === 1);
      await fleet.killMinions("mid2");
      await connection.request("jobs/cancel", { jobId });
      await fleet.finished(jobId);
      const resultOf = async () =>
        (await fleet.connection()).request("jobs/result", { jobId, minion: "leaf1" });
      const told = await resultOf();
      expect(told).toMatchObject({ state: "cancelled", cancelPending: true });
      await fleet.killOverlord(TOP);
      await writeFile(go, "");
      const below = await fleet.connection("mid2");
      await until(async () => (await below.request("jobs/list", {})).jobs[0]?.finished === true);
      await fleet.startMinions("mid2");
      await fleet.call({ ...PING, spec: "mid2" });
      await until(async () => (await resultOf()).later !== undefined);
      const { later, ...rest } = await resultOf();
      expect(later).toMatchObject({ state: "succeeded", exitStatus: 0 });
      expect(later?.message).toBe(
        "mid1 told later: mid2 told later: on leaf1 it had succeeded: end",
      );
      const { cancelPending: _, ...stays } = told;
      expect(rest).toEqual(stays);
    },
    LIMIT_MS,
  );

  it(
    "tell a hop further down that is away under each leaf behind it",
    async () => {
      await fleet.killHost("mid2");
      const results = await fleet.call({ ...PING, spec: "leaf*" });
      expect(results.get("leaf1")).toMatchObject({ state: "unreachable", failedHop: "mid2" });
      expect(results.get("leaf1")?.error?.message).toContain("mid2");
      expect(results.get("leaf2")?.value).toBe(1);
      expect([...results.keys()]).toEqual(["leaf1", "leaf2"]);
      await fleet.startMinions("mid2");
      const connection = await fleet.connection();
      const { jobs } = await connection.request("jobs/list", { limit: 1 });
      const retried = await connection.request("jobs/retry", { jobId: jobs[0]?.id ?? "" });
      await until(async () => {
        const { summary } = await connection.request("jobs/watch", { jobId: retried.id });
        return summary.finished;
      });
      const again = await connection.request("jobs/watch", { jobId: retried.id });
      expect(again.results.map(({ value }) => value)).toEqual([1, 1]);
    },
    LIMIT_MS,
  );
});

describe("two ways to each leaf", () => {
  let fleet: TreeFleet;
  beforeEach(async () => {
    fleet = await startTreeFleet({ tiers: [2, 2], shared: true });
    await fleet.writeMap();
    await fleet.call({ ...PING, spec: "leaf*" });
  }, LIMIT_MS);
  afterEach(() => fleet.close(), LIMIT_MS);

  it(
    "are used where a hop is away, and where it is lost in mid-job",
    async () => {
      const runs = join(fleet.root, "runs");
      const connection = await fleet.connection();
      const job = await connection.request("calls/start", {
        ...RUN,
        spec: "leaf*",
        args: [`echo x >> ${runs}; sleep 3; echo end`],
        async: true,
      });
      await until(async () => (await linesOf(runs)) >= 2);
      await fleet.killHost("mid1");
      await fleet.finished(job.id);
      const { results } = await connection.request("jobs/watch", { jobId: job.id });
      for (const result of results) {
        expect(result).toMatchObject({ value: [0, "end\n", ""], via: ["mid2"] });
      }
      expect(await linesOf(runs)).toBe(results.length);
      const ping = await fleet.call({ ...PING, spec: "leaf*" });
      for (const result of ping.values()) expect(result).toMatchObject({ value: 1, via: ["mid2"] });
    },
    LIMIT_MS,
  );
});

function lastOf(progress: readonly JobProgress[]): Map<string, MinionResult> {
  return new Map(progress.flatMap(({ results }) => results).map((one) => [one.minion, one]));
}

async function linesOf(file: string): Promise<number> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text.split("\n").length - 1;
}
