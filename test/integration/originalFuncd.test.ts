import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { JOB_ID_FINISHED, JOB_ID_PARTIAL, type JobProgress } from "../../server/protocol/jobs";
import { MinionAsker } from "../fixtures/minionAsker";
import { OriginalFuncd, type OriginalControl } from "../fixtures/originalFuncd";
import { until } from "../fixtures/overlordBundle";
import { RealFleet } from "../fixtures/realFleet";
import type { StartCallParams } from "../../server/protocol/requests";

const NAMES = ["old1", "old2", "old3"];

let fleet: RealFleet;
let funcds: OriginalFuncd[];

beforeAll(async () => {
  fleet = await RealFleet.create();
  const connection = await fleet.connection();
  funcds = await Promise.all(NAMES.map((name) => OriginalFuncd.start(connection, name)));
});

afterAll(async () => {
  await Promise.all(funcds.map((funcd) => funcd.close()));
  await fleet.close();
});

beforeEach(() => control({}));

async function control(how: OriginalControl): Promise<void> {
  await Promise.all(funcds.map((funcd) => funcd.control(how)));
}

async function start(call: Partial<StartCallParams>): Promise<string> {
  const connection = await fleet.connection();
  const params = { spec: "*", module: "test", method: "ping", args: [], async: true, ...call };
  return (await connection.request("calls/start", params)).id;
}

async function ended(jobId: string): Promise<JobProgress> {
  const connection = await fleet.connection();
  for (;;) {
    const job = await connection.request("jobs/watch", { jobId });
    if (job.summary.finished) return job;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function original(name: string): OriginalFuncd {
  const found = funcds.find((funcd) => funcd.name === name);
  if (!found) throw new Error(`no ${name}`);
  return found;
}

/** How often a minion was asked about its job. */
async function polls(name: string, minionJobId: string | undefined): Promise<number> {
  const requests = await original(name).requests("jobs.job_status");
  return requests.filter(({ params }) => params[0] === minionJobId).length;
}

describe("an original funcd, polled by our overlord", () => {
  it("is asked beside the others, less and less often, and never again once it has answered", async () => {
    // the same job ends on each of them at another time
    await original("old1").control({ answers: { "jobs.job_status": [[1, "at once"]] } });
    const running = Array.from({ length: 3 }, () => [0, -1]);
    const answers = [...running, [1, "later"]];
    await original("old2").control({ answers: { "jobs.job_status": answers } });
    const id = await start({ method: "sleep", args: [2.5] });
    const { results, summary } = await ended(id);
    expect(summary).toMatchObject({ code: JOB_ID_FINISHED, counts: { succeeded: 3 } });
    expect(results.map(({ value }) => value)).toEqual(["at once", "later", 2.5]);
    const asked = await Promise.all(
      results.map(({ minion, minionJobId }) => polls(minion, minionJobId)),
    );
    expect(asked.slice(0, 2)).toEqual([1, 4]);
    // at every quarter of a second it would have been ten times
    expect(asked[2]).toBeGreaterThan(1);
    expect(asked[2]).toBeLessThan(9);
    const connection = await fleet.connection();
    await connection.request("jobs/status", { jobId: id });
    await connection.request("jobs/watch", { jobId: id });
    expect(
      await Promise.all(results.map(({ minion, minionJobId }) => polls(minion, minionJobId))),
    ).toEqual(asked);
  });

  it("is known by ids of one to six decimals, and of seventeen digits", async () => {
    for (const ids of ["seventeen", undefined] as const) {
      await control({ ...(ids && { ids }) });
      const { results } = await ended(await start({ method: "add", args: [1, 2] }));
      for (const result of results) {
        expect(result).toMatchObject({ state: "succeeded", value: 3 });
        expect(result.minionJobId).toMatch(
          ids ? /^\d{10}\.\d{7}-minion$|^\d{10}\.\d{1,6}-minion$/ : /^\d{10}\.\d{1,6}-minion$/,
        );
      }
    }
  });

  it("may answer with errors of two, three and four items, in a status and instead of one", async () => {
    const two = ["REMOTE_ERROR", "lost job"];
    const three = ["REMOTE_ERROR", "exceptions.ValueError", "three"];
    const four = ["REMOTE_ERROR", "exceptions.ValueError", "four", "Traceback"];
    const told = async (answer: (string | number)[][]) => {
      for (const [at, funcd] of funcds.entries()) {
        await funcd.control({ answers: { "jobs.job_status": [answer[at] ?? []] } });
      }
      return (await ended(await start({}))).results;
    };
    expect(await told([two, three, four])).toMatchObject([
      { state: "lost", error: { type: "lost job" } },
      { state: "failed", error: { type: "exceptions.ValueError", message: "three" } },
      { state: "failed", error: { message: "four", trace: "Traceback" } },
    ]);
    const within = [two, three, four].map((error) => [1, error] as unknown as (string | number)[]);
    expect(await told(within)).toMatchObject([
      { error: { type: "lost job" } },
      { state: "failed", error: { type: "exceptions.ValueError", message: "three" } },
      { state: "failed", error: { message: "four", trace: "Traceback" } },
    ]);
    expect(
      await told([
        [2, 0],
        [2, 0],
        [2, 0],
      ]),
    ).toMatchObject(NAMES.map(() => ({ state: "lost", error: { type: "lost job" } })));
  });

  it("gives errors of its own methods as results of a finished job", async () => {
    const { results } = await ended(await start({ method: "explode" }));
    for (const result of results) {
      expect(result).toMatchObject({
        state: "failed",
        error: { type: "exceptions.TypeError", message: "on purpose" },
      });
    }
  });

  it("answers jobs.tail_output and jobs.get_progress as the original", async () => {
    const id = await start({ spec: "old1", method: "report", args: [3, 0] });
    const [result] = (await ended(id)).results;
    const asker = await MinionAsker.of(fleet.data);
    const ask = (method: string) =>
      asker.call(original("old1"), method, [result?.minionJobId ?? ""]);
    expect(await ask("jobs.get_progress")).toEqual([3, 3]);
    const [output] = (await ask("jobs.tail_output")) as string[];
    expect(output?.split("\n").filter((line) => line.startsWith("step"))).toHaveLength(3);
    asker.close();
  });

  it("never starts a call a second time that it did not answer, also after the overlord's restart", async () => {
    await original("old2").control({ swallow: ["async.test.add"] });
    const starts = async () => (await original("old2").requests("async.test.add")).length;
    const before = await starts();
    const id = await start({ method: "add", args: [20, 22] });
    const { results, summary } = await ended(id);
    expect(summary.counts).toEqual({ succeeded: 2, lost: 1 });
    expect(results[1]).toMatchObject({ minion: "old2", state: "lost" });
    expect(results[1]?.error?.nextStep).toContain("may have run");
    expect(await starts()).toBe(before + 1);
    await fleet.stopOverlord();
    const again = await ended(id);
    expect(again.results).toEqual(results);
    expect(await starts()).toBe(before + 1);
  });

  it("never starts a call a second time when the overlord dies before the answer", async () => {
    // it has the call and keeps the answer to itself for as long as the overlord lives
    await original("old3").control({ hold: ["async.test.add"] });
    const starts = async () => (await original("old3").requests("async.test.add")).length;
    const before = await starts();
    const id = await start({ method: "add", args: [1, 1] });
    await until(async () => (await starts()) > before);
    const connection = await fleet.connection();
    await until(async () => {
      const { code, results } = await connection.request("jobs/status", { jobId: id });
      return code === JOB_ID_PARTIAL && Object.keys(results ?? {}).length === 2;
    });
    await fleet.stopOverlord();
    const { results, summary } = await ended(id);
    expect(summary.counts).toEqual({ succeeded: 2, lost: 1 });
    expect(results[2]).toMatchObject({ minion: "old3", state: "lost" });
    expect(await starts()).toBe(before + 1);
  });

  it("is collected from by the next overlord, by the ids that it gave the last", async () => {
    const id = await start({ method: "sleep", args: [3.25] });
    const connection = await fleet.connection();
    await until(async () => {
      const { summary } = await connection.request("jobs/watch", { jobId: id });
      return summary.counts.running === 3;
    });
    await fleet.stopOverlord();
    await original("old1").kill();
    await original("old1").run();
    const { results } = await ended(id);
    expect(results.map(({ state, value }) => [state, value])).toEqual(
      NAMES.map(() => ["succeeded", 3.25]),
    );
    const sleeps = await Promise.all(funcds.map((funcd) => funcd.requests("async.test.sleep")));
    for (const requests of sleeps) {
      expect(requests.filter(({ params }) => params[0] === 3.25)).toHaveLength(1);
    }
  });
});
