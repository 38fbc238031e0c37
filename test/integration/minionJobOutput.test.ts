import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLog } from "../../server/common/log";
import { progressLook, progressOf, readOutput } from "../../server/minion/jobOutput";
import { MinionJobs } from "../../server/minion/minionJobs";
import type { XmlRpcValue } from "../../server/wire/value";

const never = new AbortController().signal;

let root: string;
let jobs: MinionJobs;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "funcd-"));
  jobs = await MinionJobs.open(join(root, "jobs"), silentLog);
});

afterEach(async () => {
  await jobs.close();
  await rm(root, { recursive: true, force: true });
});

function start(command: string): Promise<string> {
  return jobs.start({
    method: "command.run",
    argumentsDigest: command,
    owner: "ab".repeat(32),
    work: { command, env: {} },
  });
}

/** A command that goes on with `rest` once `open()` was called. */
function gated(first: string, rest: string): { command: string; open: () => void } {
  const gate = join(root, "gate");
  const command = `${first}; while [ ! -e ${gate} ]; do sleep 0.05; done; ${rest}`;
  return { command, open: () => execFileSync("touch", [gate]) };
}

function read(
  id: string,
  stream: "stdout" | "stderr",
  offset: number,
  { length = 1_000, waitMs = 30_000, knownOfOther }: Partial<Record<string, number>> = {},
): Promise<XmlRpcValue[]> {
  const request = { stream, offset, length, waitMs };
  const known = knownOfOther === undefined ? {} : { knownOfOther };
  return readOutput(jobs, id, { ...request, ...known }, never);
}

describe("the output of a job", () => {
  it("is read by range while it is written, whatever its bytes", async () => {
    const gate = gated("printf 'a\\377\\000'", "printf 'more'");
    const id = await start(gate.command);
    expect(await read(id, "stdout", 0)).toEqual([Buffer.from([97, 255, 0]), 3, false]);
    expect(await read(id, "stdout", 1, { length: 1 })).toEqual([Buffer.from([255]), 3, false]);
    expect(await read(id, "stdout", 3, { waitMs: 0 })).toEqual([Buffer.alloc(0), 3, false]);
    const waiting = read(id, "stdout", 3);
    gate.open();
    expect(await waiting).toMatchObject([Buffer.from("more"), 7, expect.any(Boolean)]);
    await jobs.waitFor(id, never);
    expect(await read(id, "stdout", 7)).toEqual([Buffer.alloc(0), 7, true]);
    expect(await read(id, "stderr", 0)).toEqual([Buffer.alloc(0), 0, true]);
    expect(await read(id, "stdout", 100)).toEqual([Buffer.alloc(0), 7, true]);
  });

  it("is waited for on both streams at once, and to the end of the job", async () => {
    const gate = gated("echo one", "echo two >&2");
    const id = await start(gate.command);
    await read(id, "stdout", 0);
    const waiting = read(id, "stdout", 4, { knownOfOther: 0 });
    const silent = read(id, "stdout", 4);
    gate.open();
    expect(await waiting).toMatchObject([Buffer.alloc(0), 4, expect.any(Boolean), 4]);
    expect(await silent).toEqual([Buffer.alloc(0), 4, true]);
  });

  it("of what runs inside funcd is empty, of an unknown job an error", async () => {
    const inside = await jobs.start({
      method: "test.sleep",
      argumentsDigest: "",
      owner: "",
      work: (signal) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => {
            resolve(1);
          });
        }),
    });
    expect(await read(inside, "stdout", 0)).toEqual([Buffer.alloc(0), 0, true]);
    await expect(read("none", "stdout", 0)).rejects.toThrow("no such job: none");
  });

  it("tells the progress as soon as it is another", async () => {
    const gate = gated("echo Progress report 1/3 completed", "echo Progress report 2/3 completed");
    const id = await start(`${gate.command}; sleep 600`);
    const folder = jobs.folderOf(id);
    if (!folder) throw new Error("no folder");
    await jobs.waitFor(id, never, progressLook(folder, 0));
    expect(await progressOf(folder)).toEqual([1, 3]);
    const waiting = jobs.waitFor(id, never, progressLook(folder, 1));
    gate.open();
    await waiting;
    expect(await progressOf(folder)).toEqual([2, 3]);
    await jobs.cancel(id, "ab".repeat(32));
    await jobs.waitFor(id, never);
  });
});
