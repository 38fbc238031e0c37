import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { JOB_ID_FINISHED, JOB_ID_PARTIAL, type MinionResult } from "../../server/protocol/jobs";
import type { OverlordRequests } from "../../server/protocol/requests";
import { until } from "../fixtures/overlordBundle";
import { startTreeFleet, type TreeFleet } from "../fixtures/treeFleet";

const LIMIT_MS = 120_000;

let tree: TreeFleet;

beforeAll(async () => {
  tree = await startTreeFleet({ tiers: [2, 2] });
  await tree.writeMap();
}, LIMIT_MS);

afterAll(() => tree.close(), LIMIT_MS);

describe("a sub-overlord that is away while a call is cancelled", () => {
  it(
    "tells later how those behind it ended, which changes no end that was told",
    async () => {
      const go = join(tree.root, "goLater");
      const runs = join(tree.root, "runsLater");
      const jobId = await start(
        `echo x >>${runs}; until [ -e ${go} ]; do sleep 0.1; done; echo end`,
      );
      await until(async () => (await linesOf(runs)) === 4);
      await tree.killMinions("mid1");
      const connection = await tree.connection();
      const note = /^mid1 does not answer since .*; behind it are leaf1, leaf2: .* refused/m;
      await until(async () => note.test((await tree.func(["jobs", "show", jobId])).stderr));
      await connection.request("jobs/cancel", { jobId });
      const { byName } = await endOf(jobId);
      const behind = leaves.filter((leaf) => hopOf(leaf) === "mid1");
      for (const leaf of behind) {
        expect(byName.get(leaf)).toMatchObject({ state: "cancelled", cancelPending: true });
      }
      await mkdir(go);
      const below = await tree.connection("mid1");
      await until(async () => (await below.request("jobs/list", {})).jobs[0]?.finished === true);
      await tree.startMinions("mid1");
      await tree.call({ spec: "mid1", module: "test", method: "ping" });
      const resultOf = (minion: string) => connection.request("jobs/result", { jobId, minion });
      for (const leaf of behind) {
        await until(async () => (await resultOf(leaf)).later !== undefined);
        const { state, cancelPending, digest, later } = await resultOf(leaf);
        expect({ state, cancelPending, digest }).toEqual({
          state: "cancelled",
          digest: byName.get(leaf)?.digest,
        });
        expect(later).toMatchObject({ state: "succeeded", value: [0, "end\n", ""], exitStatus: 0 });
        expect(later?.message).toBe(`mid1 told later: on ${leaf} it had succeeded: end`);
      }
      const shown = await tree.func(["jobs", "show", jobId]);
      expect(shown.stdout).toContain("mid1 told later: on leaf1 it had succeeded: end");
      const asJson = await tree.func(["--json", "jobs", "show", jobId]);
      const { $later } = JSON.parse(asJson.stdout) as { $later: Record<string, unknown> };
      expect(Object.keys($later)).toEqual(behind);
      expect($later.leaf1).toMatchObject({ state: "succeeded", value: [0, "end\n", ""] });
    },
    LIMIT_MS,
  );
});

describe("a sub-overlord that hangs", () => {
  it(
    "tells what became of a start that it took only after it was given up",
    async () => {
      const runs = join(tree.root, "runsLate");
      const connection = await tree.connection();
      await tree.call({ spec: "leaf1", module: "test", method: "ping", delegate: true });
      await tree.freezeOverlord("mid1");
      const { id: jobId } = await connection.request("calls/start", {
        ...{ spec: "leaf1", module: "command", method: "run", delegate: true },
        ...{ args: [`echo x >>${runs}; echo late`], timeoutMs: 3_000 },
      });
      const { byName } = await endOf(jobId);
      expect(byName.get("leaf1")).toMatchObject({ state: "lost", failedHop: "mid1" });
      // the questions for its end wait there too, behind the start
      await sleep(6_000);
      tree.thawOverlord("mid1");
      const result = () => connection.request("jobs/result", { jobId, minion: "leaf1" });
      await until(async () => (await result()).later !== undefined);
      expect((await result()).later?.message).toBe(
        "mid1 told later: on leaf1 it had succeeded: late",
      );
      expect(await linesOf(runs)).toBe(1);
    },
    LIMIT_MS,
  );

  it(
    "keeps nobody waiting long after the limit of a call, and tells later what became of it",
    async () => {
      const runs = join(tree.root, "runsHung");
      const connection = await tree.connection();
      const call = { spec: "leaf*", module: "command", method: "run", delegate: true };
      const limits = { timeoutMs: 4_000 };
      const begun = await connection.request("calls/start", {
        ...call,
        ...limits,
        args: [`echo x >>${runs}; sleep 2; echo end`],
      });
      await until(async () => (await linesOf(runs)) === 4);
      await tree.freezeOverlord("mid1");
      tree.freezeMinions("mid2");
      const unanswered = await connection.request("calls/start", {
        ...call,
        ...limits,
        args: [`echo x >>${runs}; sleep 2; echo end`],
      });
      const cancelled = await connection.request("calls/start", {
        ...call,
        args: [`echo x >>${runs}.cancelled; sleep 300`],
      });
      await sleep(1_000);
      await connection.request("jobs/cancel", { jobId: cancelled.id });
      const stopped = await endOf(cancelled.id);
      for (const leaf of leaves) {
        // to a funcd that hangs nothing may have been sent
        const pending = hopOf(leaf) === "mid1" && { cancelPending: true };
        expect(stopped.byName.get(leaf)).toMatchObject({ state: "cancelled", ...pending });
      }
      for (const { id } of [begun, unanswered]) {
        const { byName } = await endOf(id);
        for (const leaf of leaves) {
          const { state, durationMs } = byName.get(leaf) ?? {};
          const isSent = id === begun.id || hopOf(leaf) === "mid1";
          expect(isSent ? ["lost"] : ["lost", "unreachable"]).toContain(state);
          expect(durationMs).toBeLessThan(20_000);
        }
      }
      tree.thawOverlord("mid1");
      tree.thawMinions("mid2");
      for (const leaf of leaves) {
        const resultOf = (jobId: string) =>
          connection.request("jobs/result", { jobId, minion: leaf });
        await until(async () => (await resultOf(begun.id)).later !== undefined);
        // an overlord that hung finds its own limit passed first
        const told = hopOf(leaf) === "mid2" ? { value: [0, "end\n", ""] } : {};
        expect((await resultOf(begun.id)).later).toMatchObject(told);
        await until(async () => (await resultOf(cancelled.id)).cancelPending !== true);
      }
      for (const hop of ["mid1", "mid2"]) {
        const below = await tree.connection(hop);
        // none of them sleeps on
        await until(async () => {
          const { jobs } = await below.request("jobs/list", {});
          return jobs.every(({ finished }) => finished);
        });
      }
    },
    LIMIT_MS,
  );
});

describe("a sub-overlord that fails during an async call", () => {
  it(
    "costs those behind it their results alone, where it forgets the job half way",
    async () => {
      const go = join(tree.root, "go");
      const runs = join(tree.root, "runs");
      const begin = `echo x >>${runs}; mkdir ${tree.root}/first 2>/dev/null && exit 0`;
      const jobId = await start(`${begin}; until [ -e ${go} ]; do sleep 0.2; done; echo end`);
      await until(async () => (await linesOf(runs)) === 4);
      const connection = await tree.connection();
      const status = () => connection.request("jobs/status", { jobId });
      await until(async () => Object.keys((await status()).results ?? {}).length === 1);
      const [done = ""] = Object.keys((await status()).results ?? {});
      const hop = hopOf(done);
      await tree.killOverlord(hop);
      await rm(join(tree.dataOf(hop), "jobs"), { recursive: true });
      const other = leaves.find((leaf) => leaf !== done && hopOf(leaf) === hop) ?? "";
      await until(async () => (await status()).results?.[other] !== undefined);
      expect((await status()).code).toBe(JOB_ID_PARTIAL);
      await mkdir(go);
      const { code, results, byName } = await endOf(jobId);
      expect(code).toBe(JOB_ID_FINISHED);
      expect(Object.keys(results ?? {})).toEqual(leaves);
      for (const leaf of leaves) {
        if (leaf === other) continue;
        expect(results?.[leaf]).toEqual([0, leaf === done ? "" : "end\n", ""]);
      }
      const message = expect.stringMatching(`^${other}: lost at hop ${hop}: `) as string;
      expect(results?.[other]).toEqual(["REMOTE_ERROR", "lost job", message, ""]);
      expect(byName.get(other)).toMatchObject({ state: "lost", failedHop: hop, mayHaveRun: true });
      expect(await linesOf(runs)).toBe(4);
    },
    LIMIT_MS,
  );

  it(
    "is told under the name of each host behind it, where it does not take the call",
    async () => {
      const yaml = join(tree.homeOf("mid1"), "minion.yaml");
      const settings = JSON.parse(await readFile(yaml, "utf8")) as Record<string, unknown>;
      delete settings.sub_overlord;
      await tree.killMinions("mid1");
      await writeFile(yaml, JSON.stringify(settings));
      await tree.startMinions("mid1");
      const { code, results, byName } = await endOf(await start("echo here"));
      expect(code).toBe(JOB_ID_FINISHED);
      expect(Object.keys(results ?? {})).toEqual(leaves);
      for (const leaf of leaves) {
        if (hopOf(leaf) === "mid2") {
          expect(results?.[leaf]).toEqual([0, "here\n", ""]);
          continue;
        }
        const why = `${leaf} cannot be reached over its hop mid1: mid1 is no sub-overlord.`;
        expect(results?.[leaf]).toEqual(["REMOTE_ERROR", "socket.error", why, ""]);
        expect(byName.get(leaf)).toMatchObject({ state: "unreachable", failedHop: "mid1" });
        expect(byName.get(leaf)?.mayHaveRun).toBeUndefined();
      }
      const words = ["leaf*", "call", "--delegate", "--async", "command", "run", "echo here"];
      const shown = await tree.func(words);
      expect(shown.stdout + shown.stderr).toContain("leaf1 cannot be reached over its hop mid1");
      expect(shown.status).not.toBe(0);
    },
    LIMIT_MS,
  );

  it(
    "is told with the reason, and not asked for an hour, where its overlord does not start",
    async () => {
      await tree.killOverlord("mid2");
      await writeFile(join(tree.dataOf("mid2"), "overlord.yaml"), "nforks: [\n");
      const { code, results, byName } = await endOf(await start("echo here", 1_000));
      expect(code).toBe(JOB_ID_FINISHED);
      for (const leaf of leaves.filter((one) => hopOf(one) === "mid2")) {
        expect(results?.[leaf]).toEqual(["REMOTE_ERROR", "lost job", expect.anything(), ""]);
        expect(byName.get(leaf)).toMatchObject({ state: "lost", failedHop: "mid2" });
        const { message } = byName.get(leaf)?.error ?? {};
        expect(message).toContain(`${leaf}: lost at hop mid2: The overlord cannot start: `);
        expect(message).toContain("overlord.yaml");
      }
    },
    LIMIT_MS,
  );
});

const leaves = ["leaf1", "leaf2", "leaf3", "leaf4"];

function hopOf(leaf: string): string {
  return tree.pathOf(leaf)[0] ?? "";
}

async function start(command: string, timeoutMs?: number): Promise<string> {
  const call = { module: "command", method: "run", args: [command], async: true, delegate: true };
  const limits = timeoutMs === undefined ? {} : { timeoutMs };
  const connection = await tree.connection();
  return (await connection.request("calls/start", { ...call, ...limits, spec: "leaf*" })).id;
}

async function endOf(
  jobId: string,
): Promise<OverlordRequests["jobs/status"]["result"] & { byName: Map<string, MinionResult> }> {
  await tree.finished(jobId);
  const connection = await tree.connection();
  const { results } = await connection.request("jobs/watch", { jobId });
  const status = await connection.request("jobs/status", { jobId });
  return { ...status, byName: new Map(results.map((one) => [one.minion, one])) };
}

async function linesOf(file: string): Promise<number> {
  return existsSync(file) ? (await readFile(file, "utf8")).split("\n").length - 1 : 0;
}
