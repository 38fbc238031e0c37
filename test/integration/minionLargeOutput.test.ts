import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { silentLog } from "../../server/common/log";
import { runCommand } from "../../server/minion/commandRunner";
import { MinionJobs, STATUS_FINISHED } from "../../server/minion/minionJobs";
import type { XmlRpcValue } from "../../server/wire/value";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const HUNDRED_MB = 100_000_000;
const text = { command: `yes 0123456789 | head -c ${HUNDRED_MB}`, env: {} };
/** 60 MB that are 300 MB in a document. */
const inflating = { command: "yes '&&&&&&&&&' | head -c 60000000; exit 3", env: {} };

async function jobResult(command: typeof text): Promise<XmlRpcValue> {
  const home = await mkdtemp(join(tmpdir(), "func-large-"));
  closers.push(() => rm(home, { recursive: true, force: true }));
  const jobs = await MinionJobs.open(join(home, "jobs"), silentLog);
  closers.push(() => jobs.close());
  const start = { method: "command.run", argumentsDigest: "-", owner: "-", work: command };
  const id = await jobs.start(start);
  await jobs.waitFor(id, new AbortController().signal);
  const [status, result = null] = await jobs.status(id);
  expect(status).toBe(STATUS_FINISHED);
  return result;
}

function expectHundredMegabytes(value: XmlRpcValue): void {
  if (!Array.isArray(value)) throw new Error("no array");
  const [rc, output, error] = value;
  expect([rc, error]).toEqual([0, ""]);
  expect(typeof output === "string" && output.length).toBe(HUNDRED_MB);
}

describe("a command that writes 100 MB", () => {
  it("is answered whole by a sync call", async () => {
    expectHundredMegabytes(await runCommand(text, new AbortController().signal));
  });

  it("is answered whole by a job", async () => {
    expectHundredMegabytes(await jobResult(text));
  });
});

describe("a command whose answer would be larger than what is read", () => {
  const sizes =
    /ended with 3 and wrote 60000000 and 0 bytes, which make an answer of (?:at least )?2[0-9]{8}, more than the 268435456 that are read/;

  const never = new AbortController().signal;

  it("is told by its sizes, by a sync call", async () => {
    await expect(runCommand(inflating, never)).rejects.toThrow(sizes);
    const advice = / write it to a file there .*in parts: tail -c \+1 FILE \| head -c 40000000,/;
    await expect(runCommand(inflating, never)).rejects.toThrow(advice);
    await expect(runCommand(text, never, 1_000_000)).rejects.toThrow(advice);
  });

  it("can be read as its error says, by a job", async () => {
    const [, , message] = (await jobResult(inflating)) as string[];
    const first = /in parts: (tail .* 40000000),/.exec(message ?? "")?.[1] ?? "";
    const second = first.replace("+1 ", "+40000001 ");
    for (const [command, length] of [
      [first, 40_000_000],
      [second, 20_000_000],
    ] as const) {
      const [rc, output] = (await runCommand({ command, env: {} }, never)) as [number, string];
      expect([rc, output.length]).toEqual([0, length]);
    }
  });

  it("is told by its sizes and its folder, by a job", async () => {
    expect(await jobResult(inflating)).toEqual([
      "REMOTE_ERROR",
      "func.minion.codes.FuncException",
      expect.stringMatching(new RegExp(`${sizes.source}; they are in .*func-large-.*/jobs/`)),
      "",
    ]);
  });
});
