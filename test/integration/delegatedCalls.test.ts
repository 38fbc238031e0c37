import { createHash } from "node:crypto";
import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JobOutput, JobProgress, MinionResult } from "../../server/protocol/jobs";
import { until } from "../fixtures/overlordBundle";
import { startTreeFleet, type TreeFleet } from "../fixtures/treeFleet";

const LIMIT_MS = 120_000;
const PING = { module: "test", method: "ping", delegate: true };

describe("calls through a tree", () => {
  let fleet: TreeFleet;
  beforeAll(async () => {
    fleet = await startTreeFleet({ tiers: [2, 2], direct: ["node01"] });
    await fleet.writeMap();
  }, LIMIT_MS);
  afterAll(() => fleet.close(), LIMIT_MS);

  it(
    "have the same results as direct ones",
    async () => {
      const results = await fleet.call({ ...PING, spec: "*" });
      expect([...results.keys()]).toEqual([
        "leaf1",
        "leaf2",
        "leaf3",
        "leaf4",
        "mid1",
        "mid2",
        "node01",
      ]);
      for (const result of results.values()) {
        expect(result).toMatchObject({ state: "succeeded", value: 1 });
      }
      expect(results.get("leaf1")).toMatchObject({ via: ["mid1"], signed: "first" });
      expect(results.get("mid1")?.via).toBeUndefined();
      const again = await fleet.call({ ...PING, spec: "leaf*" });
      expect([...again.keys()]).toEqual(["leaf1", "leaf2", "leaf3", "leaf4"]);
      expect(again.get("leaf1")).toMatchObject({ value: 1, via: ["mid1"], signed: "yes" });
    },
    LIMIT_MS,
  );

  it(
    "reach exactly those that are meant",
    async () => {
      const pings = (): Promise<number[]> =>
        Promise.all(["mid1", "mid2"].map((mid) => auditCount(fleet, mid, "test.ping")));
      await fleet.call({ ...PING, spec: "mid*" });
      const before = await pings();
      const mixed = await fleet.call({ ...PING, spec: "leaf1;leaf3;node01" });
      expect([...mixed.keys()]).toEqual(["leaf1", "leaf3", "node01"]);
      const behind = await fleet.call({ ...PING, spec: "leaf3;leaf4" });
      expect([...behind.values()].map(({ value }) => value)).toEqual([1, 1]);
      const excluded = await fleet.call({ ...PING, spec: "*", exclude: "mid*;leaf2" });
      expect([...excluded.keys()]).toEqual(["leaf1", "leaf3", "leaf4", "node01"]);
      // nobody was called on the way
      expect(before.every((count) => count > 0)).toBe(true);
      expect(await pings()).toEqual(before);
      const connection = await fleet.connection();
      const started = connection.request("calls/start", { ...PING, args: [], spec: "leaf9" });
      await expect(started).rejects.toMatchObject({
        message: expect.stringContaining("leaf1") as string,
      });
    },
    LIMIT_MS,
  );

  it(
    "tell exceptions as the leaf raised them, and errors of a leaf that is away",
    async () => {
      const wrong = await fleet.call({ ...PING, spec: "leaf1;leaf3", method: "nothing" });
      for (const [name, result] of wrong) {
        expect(result).toMatchObject({ state: "failed", signed: "yes", via: [hopOf(name)] });
        expect(result.error?.type).toContain("InvalidMethodException");
      }
      await fleet.killMinions("leaf2");
      const away = await fleet.call({ ...PING, spec: "leaf1;leaf2" });
      expect(away.get("leaf1")?.value).toBe(1);
      expect(away.get("leaf2")).toMatchObject({ state: "unreachable" });
      expect(away.get("leaf2")?.failedHop).toBeUndefined();
      const later = await fleet.call({ ...PING, spec: "leaf1;leaf2", async: true });
      expect(later.get("leaf2")).toMatchObject({ state: "unreachable" });
      const told = await fleet.func(["leaf2", "call", "--delegate", "test", "ping"]);
      expect(told.stderr).toContain("    At mid1: Start funcd on that host, or correct the port:");
      const instead = await fleet.func(["leaf2", "methods", "--delegate"]);
      expect(instead.stderr).toContain("Warning: leaf2 could not be asked: mid1: ");
      expect(instead.stderr).toContain("These are those of its sub-overlord mid1;");
      await fleet.startMinions("leaf2");
    },
    LIMIT_MS,
  );

  it(
    "run one after the other where that is asked for, behind all sub-overlords",
    async () => {
      const file = join(fleet.root, "turns");
      const args = [`echo begin >> ${file}; sleep 0.5; echo end >> ${file}`];
      const spec = "leaf*;node01";
      const call = { spec, module: "command", method: "run", args, delegate: true };
      const results = await fleet.call({ ...call, nforks: 1 });
      expect([...results.values()].map(({ state }) => state)).toEqual(Array(5).fill("succeeded"));
      expect(await readFile(file, "utf8")).toBe("begin\nend\n".repeat(5));
    },
    LIMIT_MS,
  );

  it(
    "tell on the command line which way each result came, and who vouches for it",
    async () => {
      const called = await fleet.func([
        "leaf1;node01",
        "call",
        "--delegate",
        "test",
        "add",
        "1",
        "2",
      ]);
      expect(called).toMatchObject({ status: 0 });
      const shown = await fleet.func(["jobs", "show", "last"]);
      expect(shown.stdout).toContain('call:     test.add "1", "2" (delegated)\n');
      expect(shown.stdout).toContain("leaf1 (via mid1, signed): 12\nnode01: 12\n");
      const delegation = { minions: { leaf1: { via: ["mid1"], signed: "yes" } } };
      for (const action of ["show", "follow"]) {
        const { stdout } = await fleet.func(["jobs", action, "last", "--json"]);
        expect(JSON.parse(stdout)).toEqual({ leaf1: "12", node01: "12", $delegation: delegation });
      }
      const one = await fleet.func(["jobs", "show", "last", "--minion", "leaf1@mid1"]);
      expect(one.stdout).toContain("leaf1 (via mid1, signed): 12\n");
      expect(one.stdout).not.toContain("node01: ");
      const strange = await fleet.func(["jobs", "show", "last", "--minion", "leaf1@mid9"]);
      expect(strange).toMatchObject({ status: 2, stdout: "" });
      const listed = await fleet.func(["jobs", "list", "--minion", "leaf?@mid1"]);
      expect(listed.stdout).toContain('test.add "1", "2" (delegated)');
      const unknown = await fleet.func(["jobs", "list", "--minion", "leaf1@mid9"]);
      expect(unknown).toMatchObject({ status: 2, stdout: "" });
      const found = await fleet.func(["jobs", "search", "12", "--minion", "leaf1@mid1"]);
      expect(found.stdout).toMatch(/ leaf1: 12\n$/);
      const other = join(fleet.root, "other-map");
      await copyFile(join(fleet.dataOf(), "map"), other);
      await fleet.func(["leaf1", "--delegate", "--mapfile", other, "ping"]);
      const withMap = await fleet.func(["jobs", "follow", "last", "--json"]);
      expect(JSON.parse(withMap.stdout)).toMatchObject({ $delegation: { mapFile: other } });
      expect((await fleet.func(["jobs", "show", "last"])).stdout).toContain(`map:      ${other}\n`);
      expect((await fleet.func(["jobs", "list", "--last", "1"])).stdout).toContain("(delegated)");
      expect((await fleet.func(["jobs", "list", "--last", "1"], "mid1")).stdout).toContain("(for ");
    },
    LIMIT_MS,
  );

  it(
    "are prepared with what the leaf itself has",
    async () => {
      const before = await auditCount(fleet, "leaf1", "system.describe");
      const methods = await fleet.func(["leaf1", "methods", "--delegate", "command"]);
      expect(methods).toMatchObject({
        status: 0,
        stdout: expect.stringMatching(/^run /) as string,
      });
      expect(methods.stderr).toBe("As leaf1 has them.\n");
      expect(await auditCount(fleet, "leaf1", "system.describe")).toBe(before + 1);
      const connection = await fleet.connection();
      const params = { spec: "leaf1", delegate: true, mapFile: "/etc/passwd" };
      await expect(
        connection.request("overlord/at", { path: ["mid1"], request: "minions/describe", params }),
      ).rejects.toMatchObject({ message: expect.stringContaining("map file") as string });
    },
    LIMIT_MS,
  );

  it(
    "print the result of one as it is, on the command line",
    async () => {
      const words = ["leaf1", "call", "--delegate", "--raw", "command", "run"];
      const raw = await fleet.func([...words, "printf out; exit 7"]);
      expect(raw).toMatchObject({ status: 7, stdout: "out" });
    },
    LIMIT_MS,
  );

  it(
    "bring large outputs through, byte for byte",
    async () => {
      const command = "head -c 3000000 /dev/zero | tr '\\0' x";
      const results = await fleet.call({
        spec: "leaf1",
        module: "command",
        method: "run",
        args: [command],
        delegate: true,
      });
      const result = results.get("leaf1");
      expect(result).toMatchObject({ state: "succeeded", signed: "yes", exitStatus: 0 });
      const [, output] = result?.value as [number, { $output: { sha256: string; bytes: number } }];
      expect(output.$output.bytes).toBe(3_000_000);
      expect(output.$output.sha256).toBe(
        createHash("sha256").update("x".repeat(3_000_000)).digest("hex"),
      );
      const connection = await fleet.connection();
      const read = await connection.request("outputs/read", {
        sha256: output.$output.sha256,
        offset: 2_999_990,
        length: 100,
      });
      expect(Buffer.from(read.base64, "base64").toString()).toBe("x".repeat(10));
    },
    LIMIT_MS,
  );

  it(
    "show the first result and output of an async job while others run, and are cancelled",
    async () => {
      const connection = await fleet.another();
      const progress: JobProgress[] = [];
      const outputs: JobOutput[] = [];
      connection.on("jobs/progress", (one) => progress.push(one));
      connection.on("jobs/output", (one) => outputs.push(one));
      const states = (): Map<string, MinionResult> =>
        new Map(progress.flatMap(({ results }) => results).map((one) => [one.minion, one]));
      const script = `if [ -e ${fleet.root}/go ]; then echo done; else echo begun; sleep 60; fi`;
      const once = `mkdir ${fleet.root}/first 2>/dev/null && exit 0; ${script}`;
      const job = await connection.request("calls/start", {
        spec: "leaf1;leaf2;leaf3",
        module: "command",
        method: "run",
        args: [once],
        async: true,
        delegate: true,
      });
      expect(job).toMatchObject({ delegate: true, finished: false, total: 3 });
      await connection.request("jobs/follow", { jobId: job.id });
      await until(() => [...states().values()].some(({ state }) => state === "succeeded"));
      expect(progress.at(-1)?.summary.finished).toBe(false);
      const written = () => outputs.flatMap(({ pieces }) => pieces).map(({ text }) => text);
      await until(() => written().filter((text) => text === "begun\n").length === 2);
      await connection.request("jobs/cancel", { jobId: job.id });
      await until(() => progress.at(-1)?.summary.finished === true);
      const all = [...states().values()].map(({ state }) => state).sort();
      expect(all).toEqual(["cancelled", "cancelled", "succeeded"]);
      connection.dispose();
    },
    LIMIT_MS,
  );

  it(
    "stop through the hops what went on beyond its limit, where its job is cancelled once more",
    async () => {
      const connection = await fleet.connection();
      const pids = `${fleet.root}/beyond`;
      for (const isAsync of [true, false]) {
        const job = await connection.request("calls/start", {
          spec: "leaf1;leaf3",
          module: "command",
          method: "run",
          args: [`echo $$ >>${pids}; exec sleep 300`],
          async: isAsync,
          timeoutMs: 1_500,
          delegate: true,
        });
        await fleet.finished(job.id);
        const { summary } = await connection.request("jobs/watch", { jobId: job.id });
        expect(summary.counts).toEqual({ "timed-out": 2 });
        const running = async (): Promise<number[]> =>
          (await readFile(pids, "utf8")).split("\n").map(Number).filter(isRunning);
        await until(async () => (await running()).length === 2);
        expect(await connection.request("jobs/cancel", { jobId: job.id })).toMatchObject({
          stopped: 2,
        });
        await until(async () => (await running()).length === 0);
      }
    },
    LIMIT_MS,
  );

  it(
    "go on with a sub-overlord's overlord that was killed in mid-job",
    async () => {
      const connection = await fleet.connection();
      const job = await connection.request("calls/start", {
        spec: "leaf1;leaf2;leaf3",
        module: "command",
        method: "run",
        args: [`echo x >> ${fleet.root}/runs; sleep 4; echo end`],
        async: true,
        delegate: true,
      });
      await until(async () => (await linesOf(join(fleet.root, "runs"))) === 3);
      await fleet.killOverlord("mid1");
      await fleet.finished(job.id);
      const { results } = await connection.request("jobs/watch", { jobId: job.id });
      for (const result of results) {
        expect(result).toMatchObject({ state: "succeeded", value: [0, "end\n", ""] });
      }
      expect(await linesOf(join(fleet.root, "runs"))).toBe(3);
    },
    LIMIT_MS,
  );

  it(
    "say which hop each leaf was lost at, or could not be reached over",
    async () => {
      const connection = await fleet.connection();
      const job = await connection.request("calls/start", {
        spec: "leaf1;leaf2;leaf3",
        module: "command",
        method: "run",
        args: [`echo x >> ${fleet.root}/slow; sleep 3`],
        timeoutMs: 5_000,
        delegate: true,
      });
      await until(async () => (await linesOf(join(fleet.root, "slow"))) === 3);
      await fleet.killHost("mid1");
      await fleet.finished(job.id);
      const lost = await connection.request("jobs/watch", { jobId: job.id });
      for (const { minion, state, failedHop, mayHaveRun, error } of lost.results) {
        if (minion === "leaf3") expect(state).toBe("succeeded");
        else {
          expect({ state, failedHop, mayHaveRun }).toEqual({
            state: "lost",
            failedHop: "mid1",
            mayHaveRun: true,
          });
          expect(error?.message).toContain(`${minion}: lost at hop mid1`);
        }
      }
      const away = await fleet.call({ ...PING, spec: "*" });
      for (const leaf of ["leaf1", "leaf2"]) {
        expect(away.get(leaf)).toMatchObject({ state: "unreachable", failedHop: "mid1" });
        expect(away.get(leaf)?.error?.message).toContain("mid1");
        expect(away.get(leaf)?.mayHaveRun).toBeUndefined();
      }
      expect(away.get("mid1")?.state).toBe("unreachable");
      expect(away.get("leaf4")?.value).toBe(1);
      await fleet.startMinions("mid1");
      const retried = await fleet.call({ ...PING, spec: "leaf1" });
      expect(retried.get("leaf1")?.value).toBe(1);
    },
    LIMIT_MS,
  );
});

function isRunning(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch {
    return false;
  }
}

function hopOf(leaf: string): string {
  return ["leaf1", "leaf2"].includes(leaf) ? "mid1" : "mid2";
}

async function linesOf(file: string): Promise<number> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text.split("\n").length - 1;
}

/** How often the minion was asked for something that has `word` in it. */
async function auditCount(fleet: TreeFleet, minion: string, word: string): Promise<number> {
  const text = await readFile(join(fleet.homeOf(minion), "audit.log"), "utf8").catch(() => "");
  return text.split("\n").filter((line) => line.includes(word)).length;
}
