import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { followCall } from "../../server/client/followJob";
import { outputChunks } from "../../server/client/outputs";
import { outputRefOf, type OutputRef } from "../../server/protocol/outputs";
import type { JsonValue } from "../../server/protocol/value";
import type { RpcRequest } from "../../server/wire/rpcServer";
import type { XmlRpcValue } from "../../server/wire/value";
import { answer, TestFleet } from "../fixtures/testFleet";

const run = promisify(execFile);
const NAMES = ["node1", "node2", "node3"];
const TEXT = "every plane: ä € 𝄞 <&>\r\n".repeat(100_000);
const BYTES = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => (index * 7) % 256));

let fleet: TestFleet;
let spoolFolder: string;

beforeAll(async () => {
  fleet = await TestFleet.start(NAMES);
  spoolFolder = join(fleet.home, "spool");
});

afterAll(async () => {
  await fleet.close();
});

beforeEach(() => {
  fleet.reset();
});

function answerWith(name: string, value: XmlRpcValue): void {
  fleet.minion(name).handle = (request) =>
    request.method === "test.echo" || request.method === "command.run"
      ? Promise.resolve(value)
      : answer(request);
}

/** Its job is finished at once, with a large result. */
function asyncAnswer(request: RpcRequest): Promise<XmlRpcValue> {
  if (request.method === "async.test.echo") return Promise.resolve("1-minion");
  return request.method === "jobs.wait" || request.method === "jobs.job_status"
    ? Promise.resolve([1, [0, TEXT, ""]])
    : answer(request);
}

function sha256Of(content: string | Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

async function bytesOf(ref: OutputRef | undefined, connection = fleet.connection): Promise<Buffer> {
  if (!ref) throw new Error("no output");
  const chunks: Buffer[] = [];
  for await (const chunk of outputChunks(connection, ref)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function valueOf(jobId: string, minion = "node1"): Promise<JsonValue | undefined> {
  return (await fleet.connection.request("jobs/result", { jobId, minion })).value;
}

async function outputBytes(): Promise<number> {
  return (await fleet.connection.request("overlord/status", {})).outputBytes;
}

describe("a large output", () => {
  it("comes whole, by its hash, as text and as bytes, and is kept once for all minions", async () => {
    for (const name of NAMES) answerWith(name, [3, TEXT, new Uint8Array(BYTES)]);
    const job = await fleet.call({ module: "command", method: "run", args: ["x"] });
    expect(job.summary.counts).toEqual({ succeeded: 3 });
    expect(new Set(job.results.map(({ digest }) => digest)).size).toBe(1);
    expect(job.results[0]?.exitStatus).toBe(3);
    const value = (await valueOf(job.summary.id)) as JsonValue[];
    expect(value).toEqual(job.results[0]?.value);
    const [text, bytes] = value.slice(1).map(outputRefOf);
    expect(text).toEqual({
      sha256: sha256Of(TEXT),
      bytes: Buffer.byteLength(TEXT),
      kind: "text",
      head: TEXT.slice(0, 4_000),
    });
    expect(bytes).toEqual({
      sha256: sha256Of(BYTES),
      bytes: BYTES.length,
      kind: "bytes",
      head: "",
    });
    expect((await bytesOf(text)).toString() === TEXT).toBe(true);
    expect((await bytesOf(bytes)).equals(BYTES)).toBe(true);
    const names = [
      `${sha256Of(TEXT)}.${Buffer.byteLength(TEXT)}`,
      `${sha256Of(BYTES)}.${BYTES.length}`,
    ];
    expect((await readdir(spoolFolder)).sort()).toEqual(names.sort());
    expect((await stat(spoolFolder)).mode & 0o777).toBe(0o700);
    expect(await outputBytes()).toBe(Buffer.byteLength(TEXT) + BYTES.length);
    const { results } = await fleet.connection.request("jobs/status", { jobId: job.summary.id });
    expect(results).toEqual(Object.fromEntries(NAMES.map((name) => [name, value])));
  });

  it("may be a whole value without any large text", async () => {
    const names = Array.from({ length: 30_000 }, (_, index) => `/a/file/number/${index}`);
    answerWith("node1", { names });
    const job = await fleet.call({ spec: "node1" });
    const ref = outputRefOf(await valueOf(job.summary.id));
    expect(ref?.kind).toBe("json");
    expect(JSON.parse((await bytesOf(ref)).toString())).toEqual({ names });
  });

  it("comes with the result of an async job too", async () => {
    fleet.minion("node1").handle = asyncAnswer;
    const job = await fleet.call({ spec: "node1", async: true });
    const value = (await valueOf(job.summary.id)) as JsonValue[];
    expect(outputRefOf(value[1])?.sha256).toBe(sha256Of(TEXT));
  });

  it("is searched on the overlord's side, to its end", async () => {
    answerWith("node1", [0, `${TEXT}The Needle at the end`, ""]);
    answerWith("node2", [0, TEXT, ""]);
    answerWith("node3", ["a small needle"]);
    const { id: jobId } = (await fleet.call({})).summary;
    const matches = [];
    let cursor: string | undefined;
    do {
      const params = { jobId, text: "NEEDLE", cursor };
      const found = await fleet.connection.request("jobs/search", params);
      matches.push(...found.matches);
      cursor = found.next;
    } while (cursor !== undefined);
    expect(matches).toEqual([
      { minion: "node1", line: "The Needle at the end" },
      { minion: "node3", line: "a small needle" },
    ]);
  });

  it("cannot be read by anything but its hash, nor beyond its end", async () => {
    const read = (params: { sha256: string; offset: number; length: number }): Promise<unknown> =>
      fleet.connection.request("outputs/read", params);
    answerWith("node1", TEXT);
    await fleet.call({ spec: "node1" });
    const sha256 = sha256Of(TEXT);
    const bytes = Buffer.byteLength(TEXT);
    expect(await read({ sha256, offset: bytes, length: 10 })).toEqual({ base64: "", bytes });
    const wrong = { reason: "bad-argument" };
    await expect(read({ sha256: "../endpoint", offset: 0, length: 10 })).rejects.toMatchObject(
      wrong,
    );
    await expect(read({ sha256, offset: -1, length: 10 })).rejects.toMatchObject(wrong);
    await expect(read({ sha256, offset: 0, length: 2 ** 30 })).rejects.toMatchObject(wrong);
    await expect(read({ sha256: "0".repeat(64), offset: 0, length: 10 })).rejects.toMatchObject({
      reason: "not-found",
    });
  });
});

describe("the folder of outputs", () => {
  it("that is full fails the result loudly, and only that", async () => {
    const repair = await fillDisk();
    onTestFinished(repair);
    answerWith("node1", [0, TEXT, ""]);
    answerWith("node2", [0, "small", ""]);
    const job = await fleet.call({ spec: "node1;node2" });
    expect(job.results).toMatchObject([{ state: "failed" }, { state: "succeeded" }]);
    const { error } = job.results[0] ?? {};
    expect(error?.message).toContain("node1");
    expect(error?.message).toContain("The call has run, but its output could not be kept");
    expect(error?.message).toContain(spoolFolder);
    expect(error?.nextStep).toMatch(/room|Remove/);
    fleet.minion("node3").handle = asyncAnswer;
    const fetched = await fleet.call({ spec: "node3", async: true });
    expect(fetched.results).toMatchObject([{ state: "failed", error: { type: error?.type } }]);
    await repair();
    const again = await fleet.call({ spec: "node1" });
    expect(again.results).toMatchObject([{ state: "succeeded" }]);
  });

  it("has its outputs after a crash, for the jobs that have them", async () => {
    answerWith("node1", TEXT);
    const { summary } = await fleet.call({ spec: "node1" });
    const names = await readdir(spoolFolder);
    const bytes = await outputBytes();
    await fleet.killOverlord();
    expect(await outputBytes()).toBe(bytes);
    expect(await readdir(spoolFolder)).toEqual(names);
    const { value } = await fleet.connection.request("jobs/result", {
      jobId: summary.id,
      minion: "node1",
    });
    const ref = outputRefOf(value);
    expect((await bytesOf(ref, fleet.connection)).toString()).toBe(TEXT);
    const file = join(spoolFolder, `${ref?.sha256}.${ref?.bytes}`);
    await truncate(file, 1_000);
    await expect(bytesOf(ref, fleet.connection)).rejects.toMatchObject({
      reason: "bad-data",
      message: expect.stringContaining(`has been cut to 1000 of ${ref?.bytes} bytes`) as string,
    });
    await rm(file);
    await expect(bytesOf(ref, fleet.connection)).rejects.toMatchObject({
      reason: "bad-data",
      message: expect.stringContaining(`${file} on ${hostname()} is missing`) as string,
      nextStep: expect.stringMatching(/^Restore that file/) as string,
    });
  });
});

it("says of an output that is lost with the overlord that its command has run", async () => {
  answerWith("node1", [0, new Uint8Array(BYTES), ""]);
  const { connection } = fleet;
  let jobId = "";
  const followed = followCall(
    connection,
    { spec: "node1", module: "command", method: "run", args: ["x"] },
    {
      onStarted: ({ id }) => (jobId = id),
      onResult: async ({ value }) => {
        const ref = outputRefOf((value as JsonValue[])[1] ?? null);
        await fleet.killOverlord();
        await bytesOf(ref, connection);
      },
    },
  );
  const problem = await followed.catch((error: unknown) => error);
  expect(problem).toMatchObject({
    reason: "unavailable",
    message: `The overlord went away: command.run has run on node1 (job ${jobId}), but its result can no longer be read from here.`,
    nextStep: expect.stringMatching(/^Look at node1 .* once more/) as string,
  });
});

it("tells jobs of the background from others", async () => {
  const { background } = await fleet.start({ spec: "node1", background: true });
  expect(background).toBe(true);
  expect(await fleet.start({ spec: "node1" })).not.toHaveProperty("background");
});

/** Lets nothing more be written to the folder; returns what undoes that, once. */
async function fillDisk(): Promise<() => Promise<void>> {
  await mkdir(spoolFolder, { recursive: true });
  const options = ["-t", "tmpfs", "-o", "size=256k", "func", spoolFolder];
  const mounted = await run("mount", options).then(
    () => true,
    () => false,
  );
  // who may not mount: a file in place of the folder takes no files either
  const aside = join(fleet.home, "spool-aside");
  if (!mounted) {
    await rename(spoolFolder, aside);
    await writeFile(spoolFolder, "");
  }
  let repaired: Promise<void> | undefined;
  const repair = async (): Promise<void> => {
    if (mounted) {
      await run("umount", ["-l", spoolFolder]);
    } else {
      await rm(spoolFolder);
      await rename(aside, spoolFolder);
    }
  };
  return () => (repaired ??= repair());
}
