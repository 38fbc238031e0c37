import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OutputLines } from "../../server/client/outputLines";
import { JOB_ID_FINISHED, JOB_ID_PARTIAL } from "../../server/protocol/jobs";
import { outputRefOf } from "../../server/protocol/outputs";
import { NetworkRow, whyNoNamespaces } from "../fixtures/networkNamespaces";
import { until } from "../fixtures/overlordBundle";
import { startTreeFleet, type TreeFleet } from "../fixtures/treeFleet";

const LARGE_BYTES = 100_000_000;
const CUT_MS = 20_000;
const FLAP_MS = 2_000;
const FLAPS = 7;
/** A job and the output of three leaves are asked for; each pauses for 250 ms, then twice as long: four tries a flap. */
const MOST_TRIES = 4 * 4 * FLAPS;
/** A handshake, a request and what confirms the answer. */
const TRY_SEGMENTS = 10;
const LEAVES = ["leaf1", "leaf2", "leaf3"];

const problem = await whyNoNamespaces();
if (problem !== undefined) console.warn(`Delegation through firewalls is not tested: ${problem}`);

describe.runIf(problem === undefined)(
  "Three tiers, each in a network that only its neighbours reach",
  () => {
    let folder: string;
    let row: NetworkRow;
    let tree: TreeFleet;
    const closers: (() => Promise<void>)[] = [];

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "func-networks-"));
      closers.push(() => rm(folder, { recursive: true, force: true }));
      row = await NetworkRow.make(4, folder);
      closers.push(() => row.close());
      tree = await startTreeFleet({ tiers: [1, 2, 3], shared: true, network: row });
      closers.push(() => tree.close());
      await tree.writeMap();
      // so that mid1 knows other ways, and whom it may call again
      await tree.connection("mid1");
      const built = await tree.func(["build-map"], "mid1");
      expect(built.status, built.stderr).toBe(0);
    }, 120_000);

    afterAll(async () => {
      for (const close of closers.reverse()) await close();
    });

    it("keeps the top from the leaves, and their overlord's tier from the top", async () => {
      const [mid1, mid2, leaf1] = ["mid1", "mid2", "leaf1"].map((name) => tree.record(name));
      expect(await row.reaches(0, mid1?.address ?? "", mid1?.port ?? 0)).toBe(true);
      expect(await row.reaches(0, mid2?.address ?? "", mid2?.port ?? 0)).toBe(false);
      expect(await row.reaches(0, leaf1?.address ?? "", leaf1?.port ?? 0)).toBe(false);
      expect(await row.reaches(1, leaf1?.address ?? "", leaf1?.port ?? 0)).toBe(false);
      expect(await row.reaches(2, leaf1?.address ?? "", leaf1?.port ?? 0)).toBe(true);
    });

    it("runs a command on every host of every tier", async () => {
      const results = await tree.call({
        spec: "*",
        module: "command",
        method: "run",
        args: ["echo here"],
        delegate: true,
      });
      expect([...results.keys()].sort()).toEqual([...LEAVES, "mid1", "mid2", "mid3"].sort());
      for (const result of results.values()) expect(result.value).toEqual([0, "here\n", ""]);
      expect(results.get("leaf1")?.via).toEqual(["mid1", "mid2"]);
      expect(results.get("mid2")?.via).toEqual(["mid1"]);
    });

    it("gives partial results of an async job, and the rest as it comes", async () => {
      const connection = await tree.connection();
      const gate = await mkdtemp(join(folder, "gate-"));
      const waits = `while [ ! -e ${gate}/open ]; do sleep 0.1; done`;
      const { id: jobId } = await start(
        `if mkdir ${gate}/first; then echo first; else ${waits}; echo late; fi`,
      );
      const status = () => connection.request("jobs/status", { jobId });
      await until(async () => Object.keys((await status()).results ?? {}).length === 1);
      expect((await status()).code).toBe(JOB_ID_PARTIAL);
      await mkdir(join(gate, "open"));
      await tree.finished(jobId);
      const { code, results } = await status();
      expect(code).toBe(JOB_ID_FINISHED);
      expect(Object.keys(results ?? {}).sort()).toEqual(LEAVES);
    });

    it("shows what runs behind it line by line", async () => {
      const connection = await tree.connection();
      const gate = await mkdtemp(join(folder, "gate-"));
      const seen = new OutputLines();
      const lines: string[] = [];
      const listening = connection.on("jobs/output", ({ pieces }) => {
        for (const piece of pieces) {
          for (const { minion, text } of seen.take(piece)) lines.push(`${minion}: ${text}`);
        }
      });
      const { id: jobId } = await start(
        `echo one; while [ ! -e ${gate}/open ]; do sleep 0.1; done; echo two`,
      );
      await connection.request("jobs/follow", { jobId });
      await until(() => LEAVES.every((name) => lines.includes(`${name}: one`)));
      expect(lines.some((line) => line.endsWith("two"))).toBe(false);
      await mkdir(join(gate, "open"));
      await until(() => LEAVES.every((name) => lines.includes(`${name}: two`)));
      await tree.finished(jobId);
      expect(lines).toHaveLength(2 * LEAVES.length);
      listening.dispose();
    });

    it("stops what runs behind it", async () => {
      const connection = await tree.connection();
      const seconds = `6${process.pid}`;
      const { id: jobId } = await start(`exec sleep ${seconds}`);
      await until(async () => (await sleeping(seconds)) === LEAVES.length);
      await connection.request("jobs/cancel", { jobId });
      await tree.finished(jobId);
      const { results } = await connection.request("jobs/watch", { jobId });
      expect(results.map(({ state }) => state)).toEqual(LEAVES.map(() => "cancelled"));
      expect(await sleeping(seconds)).toBe(0);
    });

    it("brings an output of 100 MB through all tiers, as it was", async () => {
      const connection = await tree.connection();
      const { id: jobId } = await start(`head -c ${LARGE_BYTES} /dev/zero | tr '\\0' x`, "leaf2");
      await tree.finished(jobId);
      const { value } = await connection.request("jobs/result", { jobId, minion: "leaf2" });
      const output = outputRefOf(Array.isArray(value) ? value[1] : undefined);
      const expected = createHash("sha256").update(Buffer.alloc(LARGE_BYTES, "x")).digest("hex");
      expect(output).toMatchObject({ bytes: LARGE_BYTES, sha256: expected });
      const last = { sha256: expected, offset: LARGE_BYTES - 3, length: 10 };
      const { base64 } = await connection.request("outputs/read", last);
      expect(Buffer.from(base64, "base64").toString()).toBe("xxx");
    });

    it("loses and repeats nothing where wires are cut in mid-job, and mended", async () => {
      const work = await startWork();
      await work.end(1);
      await until(async () => (await work.succeeded()) === 1 && work.hasBegun());
      await row.setWire(1, "down");
      await work.end(2);
      await until(async () => (await work.succeeded("mid1")) === 2);
      await row.setWire(3, "down");
      await work.end(3);
      await sleep(CUT_MS);
      // what is cut off is neither known nor given up
      expect(await work.succeeded()).toBe(1);
      expect(await work.succeeded("mid1")).toBe(2);
      await row.setWire(1, "up");
      await until(async () => (await work.succeeded()) === 2);
      expect(await work.succeeded("mid1")).toBe(2);
      await row.setWire(3, "up");
      await work.check(["mid1", "mid2"]);
    }, 180_000);

    it("takes the other way past a wire that stays cut, and asks no storm over one that flaps", async () => {
      const work = await startWork();
      await until(() => work.hasBegun());
      const { address } = tree.record("mid2");
      await row.setHost(2, address, "down");
      try {
        const before = await row.sentFrom(0);
        for (let flap = 0; flap < FLAPS; flap++) {
          await row.setWire(1, "down");
          await sleep(FLAP_MS);
          await row.setWire(1, "up");
          await sleep(FLAP_MS);
        }
        const after = await row.sentFrom(0);
        expect(after.connections - before.connections).toBeLessThanOrEqual(MOST_TRIES);
        expect(after.segments - before.segments).toBeLessThanOrEqual(MOST_TRIES * TRY_SEGMENTS);
        const mid3 = await tree.connection("mid3");
        await until(async () => (await mid3.request("jobs/list", {})).jobs.length > 0);
        await work.writesOn();
        for (const role of [1, 2, 3]) await work.end(role);
        await work.check(["mid1", "mid3"]);
      } finally {
        await row.setHost(2, address, "up");
      }
    }, 180_000);

    /** Three leaves that write on until they are told to end, and count how often they were started. */
    async function startWork() {
      const gate = await mkdtemp(join(folder, "gate-"));
      const connection = await tree.another();
      const written = new Map<string, string>();
      let jumps = 0;
      connection.on("jobs/output", ({ pieces }) => {
        for (const { minion, stream, offset, text } of pieces) {
          if (stream !== "stdout") continue;
          const known = written.get(minion) ?? "";
          if (offset !== known.length) jumps++;
          written.set(minion, known + text);
        }
      });
      const { id: jobId } = await start(
        [
          `cd ${gate}`,
          "for n in 1 2 3 4; do mkdir role$n 2>/dev/null && break; done",
          "echo $n >>started",
          "echo begun",
          "i=0",
          // nor for ever where the test fails
          "until [ -e end$n ] || [ ! -e started ]; do sleep 0.3; i=$((i + 1)); echo line $i; done",
        ].join("; "),
      );
      await connection.request("jobs/follow", { jobId });
      return {
        end: (role: number) => mkdir(join(gate, `end${role}`)),
        hasBegun: () => LEAVES.every((name) => written.get(name)?.startsWith("begun\n")),
        /** Resolves once more of each was shown. */
        writesOn: async (): Promise<void> => {
          const lengths = LEAVES.map((name) => written.get(name)?.length ?? 0);
          await until(() =>
            LEAVES.every((name, at) => (written.get(name)?.length ?? 0) > (lengths[at] ?? 0)),
          );
        },
        /** By the word of an overlord. */
        succeeded: async (overlord?: string): Promise<number> => {
          const { jobs } = await (
            await tree.connection(overlord)
          ).request("jobs/list", { limit: 1 });
          return jobs[0]?.counts.succeeded ?? 0;
        },
        /** Waits for the end of a job in which all went well, once. */
        check: async (via: string[]): Promise<void> => {
          await tree.finished(jobId);
          const { results } = await connection.request("jobs/watch", { jobId });
          const { code } = await connection.request("jobs/status", { jobId });
          expect(code).toBe(JOB_ID_FINISHED);
          for (const result of results) expect(result).toMatchObject({ state: "succeeded", via });
          expect(results.map(({ minion }) => minion)).toEqual(LEAVES);
          const started = (await readFile(join(gate, "started"), "utf8")).trim().split("\n");
          expect(started.sort()).toEqual(["1", "2", "3"]);
          for (const { minion, value } of results) {
            const [status, stdout] = value as [number, string];
            expect(status).toBe(0);
            await until(() => (written.get(minion)?.length ?? 0) >= stdout.length);
            expect(written.get(minion)).toBe(stdout);
          }
          expect(jumps).toBe(0);
          connection.dispose();
        },
      };
    }

    async function start(command: string, spec = "leaf*") {
      const connection = await tree.connection();
      return connection.request("calls/start", {
        spec,
        module: "command",
        method: "run",
        args: [command],
        async: true,
        delegate: true,
      });
    }
  },
);

/** How many processes sleep for so long. */
async function sleeping(seconds: string): Promise<number> {
  let count = 0;
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (line === `sleep\0${seconds}\0`) count++;
  }
  return count;
}
