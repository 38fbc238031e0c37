import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { DelegatedResult } from "../../server/protocol/delegation";
import type { MinionResult } from "../../server/protocol/jobs";
import { LyingHop } from "../fixtures/lyingHop";
import { until } from "../fixtures/overlordBundle";
import { startTreeFleet, type TreeFleet } from "../fixtures/treeFleet";

const LIMIT_MS = 120_000;
const PING = { module: "test", method: "ping", spec: "leaf*", delegate: true };
const HUGE = { sha256: "a".repeat(64), bytes: 10 ** 15, kind: "text", head: "" } as const;
const NOT_IN_TIME = ["REMOTE_ERROR", "func.timed-out", "The overlord did not answer.", ""];

describe("a hop that never comes to an end", () => {
  let fleet: TreeFleet;
  let hop: LyingHop;
  beforeAll(async () => {
    fleet = await startTreeFleet({ tiers: [1, 1] });
    await fleet.writeMap();
    await fleet.call(PING);
    hop = await LyingHop.before(fleet, "mid1");
  }, LIMIT_MS);
  afterEach(() => {
    hop.reform();
  });
  afterAll(async () => {
    await hop.close();
    await fleet.close();
  }, LIMIT_MS);

  it.each([
    ["nothing", []],
    ["calls of others", [{ minion: "other", callId: "other", state: "succeeded", value: 1 }]],
  ])(
    "is not asked all the time while it tells of %s, also after a cancel",
    async (_what, results) => {
      let asked = 0;
      hop.instead = (method) => {
        if (method !== "delegation.collect") return undefined;
        asked++;
        return JSON.stringify({ cursor: `x:${asked}`, results, finished: false });
      };
      const job = await start();
      await until(() => asked > 20);
      await cancel(job);
      expect((await resultOf(job)).state).toBe("cancelled");
      expect(asked).toBeLessThan(1_000);
    },
    LIMIT_MS,
  );

  it(
    "is cancelled while a large value does not come",
    async () => {
      let isAsked = false;
      hop.tell = (told) => told.map(withHuge);
      hop.instead = (method) => {
        if (method !== "delegation.read_value") return undefined;
        isAsked = true;
        return new Promise(() => undefined);
      };
      const job = await start();
      await until(() => isAsked);
      await cancel(job);
      expect(await resultOf(job)).toMatchObject({ state: "cancelled", mayHaveRun: true });
    },
    LIMIT_MS,
  );

  it(
    "has to give large values in the pieces that it is asked for",
    async () => {
      hop.tell = (told) => told.map(withHuge);
      hop.instead = (method) =>
        method === "delegation.read_value" ? [new Uint8Array(1), HUGE.bytes] : undefined;
      const result = await resultOf(await start());
      expect(result.state).toBe("failed");
      expect(result.error?.message).toContain("mid1 has a large output that it does not give");
    },
    LIMIT_MS,
  );

  it(
    "is asked again for a start that its overlord has not answered in time, which may take it later",
    async () => {
      let refusals = Infinity;
      hop.instead = (method) =>
        method === "delegation.start" && refusals-- > 0 ? NOT_IN_TIME : undefined;
      const result = await resultOf(await start({ timeoutMs: 1_000 }));
      expect(result).toMatchObject({ state: "lost", mayHaveRun: true, failedHop: "mid1" });
      refusals = 1;
      const later = await resultOf(await start());
      expect(later.error).toBeUndefined();
      expect(later).toMatchObject({ state: "succeeded", value: 1 });
    },
    LIMIT_MS,
  );

  it(
    "is not asked to begin what was cancelled before it had it",
    async () => {
      const below = await fleet.connection("mid1");
      const jobsBelow = async () => (await below.request("jobs/list", {})).jobs.length;
      const before = await jobsBelow();
      let starts = 0;
      hop.instead = (method) => {
        if (method !== "delegation.start") return undefined;
        starts++;
        return NOT_IN_TIME;
      };
      const job = await start();
      await until(() => starts > 0);
      hop.reform();
      await cancel(job);
      const { state, mayHaveRun, cancelPending } = await resultOf(job);
      expect({ state, mayHaveRun, cancelPending }).toEqual({ state: "cancelled" });
      expect(await jobsBelow()).toBe(before);
    },
    LIMIT_MS,
  );

  it(
    "is not taken at its word where it gives its job an id without end",
    async () => {
      hop.instead = (method) => (method === "delegation.start" ? "x".repeat(10_000) : undefined);
      const result = await resultOf(await start());
      expect(result).toMatchObject({ state: "lost", mayHaveRun: true, failedHop: "mid1" });
      expect(result.minionJobId).toBeUndefined();
      expect(result.error?.message).toContain(
        "lost at hop mid1: it answered the start with a job id of 10000 characters",
      );
    },
    LIMIT_MS,
  );

  async function start(limits: { timeoutMs?: number } = {}): Promise<string> {
    const connection = await fleet.connection();
    return (await connection.request("calls/start", { ...PING, ...limits, args: [] })).id;
  }

  async function cancel(jobId: string): Promise<void> {
    const connection = await fleet.connection();
    await connection.request("jobs/cancel", { jobId });
  }

  async function resultOf(jobId: string): Promise<MinionResult> {
    const connection = await fleet.connection();
    await fleet.finished(jobId);
    const { results } = await connection.request("jobs/watch", { jobId });
    const [result] = results;
    if (!result) throw new Error("no result");
    return result;
  }
});

function withHuge(told: DelegatedResult): DelegatedResult {
  if (told.state !== "succeeded") return told;
  return { ...told, value: { $output: HUGE }, outputs: [HUGE] };
}
