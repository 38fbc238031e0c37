import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type * as Library from "../../server/client/library/client";
import { readEndpoint, until } from "../fixtures/overlordBundle";
import { buildPrograms, programScript } from "../fixtures/programs";
import { RealFleet } from "../fixtures/realFleet";

let fleet: RealFleet;
let library: typeof Library;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  fleet = await RealFleet.create();
  await fleet.add("node1", "node2");
  await buildPrograms(fleet.root, ["client"]);
  library = createRequire(import.meta.url)(programScript(fleet.root, "client")) as typeof Library;
});
afterAll(async () => {
  for (const overlord of open) await overlord.close();
  await fleet.close();
});

function keep<T extends { close(): Promise<void> }>(overlord: T): T {
  open.push(overlord);
  return overlord;
}

function sync(spec = "*"): Library.Overlord {
  return keep(new library.Overlord(spec, { home: fleet.data }));
}

function async(spec = "*"): Library.Overlord<string> {
  return keep(new library.Overlord(spec, { home: fleet.data, async: true, nforks: 10 }));
}

it("refuses options that there are not, before anything is called", () => {
  const make = (options: unknown) => () => new library.Overlord("*", options as object);
  expect(make({ delgate: true })).toThrow('Overlord has no option "delgate".');
  expect(make({ delegate: "false" })).toThrow("The option delegate of Overlord is true or false.");
  expect(make({ home: fleet.data, delegate: undefined })).not.toThrow();
});

it("takes options as they are when it is made, wherever the object has them from", async () => {
  const make = (options: unknown) => () => new library.Overlord("*", options as object);
  expect(make(Object.create({ exlude: "node1" }))).toThrow('Overlord has no option "exlude".');
  expect(make(Object.create({ delegate: "no" }))).toThrow("delegate of Overlord is true or false.");
  for (const none of [null, 5, () => undefined]) {
    expect(make(none)).toThrow("The options of Overlord are an object.");
  }
  for (const [name, value] of Object.entries({ home: null, mapfile: 5 })) {
    expect(make({ delegate: true, [name]: value })).toThrow(
      `option ${name} of Overlord is a path.`,
    );
  }
  const options: { home: string; async?: boolean } = { home: fleet.data };
  const overlord = keep(new library.Overlord("node1", options));
  options.async = true;
  expect(await overlord.test.add(2, 3)).toEqual({ node1: 5 });
});

describe("calls that are waited for", () => {
  it("give the result of each minion", async () => {
    expect(await sync().test.add(2, 3)).toEqual({ node1: 5, node2: 5 });
    expect(await sync("node1").command.run("echo out; exit 3")).toEqual({
      node1: [3, "out\n", ""],
    });
  });

  it("keep the types of values both ways", async () => {
    const value = {
      text: "é",
      bytes: Buffer.from([0, 255]),
      big: 2n ** 62n,
      fraction: 0.5,
      whole: 7,
      list: [null, true, { $odd: 1 }],
    };
    expect(await sync("node1").test.echo(value)).toEqual({ node1: value });
    const [date] = Object.values(
      await sync("node1").test.echo(new Date(Date.UTC(2026, 0, 31, 12))),
    );
    expect(date).toBe("20260131T12:00:00");
  });

  it("refuse what no minion takes, with its place", async () => {
    await expect(sync().test.echo({ a: [Number.NaN] })).rejects.toMatchObject({
      reason: "bad-argument",
      message: "Argument 1 of test.echo.a[0] is NaN, which no minion takes.",
    });
    await expect(sync().command()).rejects.toMatchObject({ reason: "bad-argument" });
    await expect(sync("nobody").test.ping()).rejects.toMatchObject({ reason: "no-match" });
  });

  it("give errors of minions as values", async () => {
    const { node1 } = await sync("node1").call("test", "explode");
    expect(node1).toBeInstanceOf(library.RemoteError);
    expect(node1).toMatchObject({ minion: "node1", message: expect.any(String) as string });
    expect(JSON.parse(JSON.stringify(node1))).toEqual([
      "REMOTE_ERROR",
      expect.any(String),
      expect.any(String),
      expect.any(String),
    ]);
  });

  it("give the bare result of one minion with noglobs", async () => {
    const options = { home: fleet.data, noglobs: true } as const;
    expect(await keep(new library.Overlord("node2", options)).test.ping()).toBe(1);
    await expect(keep(new library.Overlord("*", options)).test.ping()).rejects.toMatchObject({
      reason: "bad-argument",
    });
  });

  it("are cancelled by their signal", async () => {
    const controller = new AbortController();
    const signal = controller.signal;
    const called = sync("node1").call("command", "run", ["sleep 600"], { signal });
    const connection = await fleet.connection();
    const job = async () => {
      const { jobs } = await connection.request("jobs/list", {});
      return jobs.find(({ argsText }) => argsText.includes("sleep 600"));
    };
    await until(
      async () => (await job())?.counts.sent === 1 || (await job())?.counts.running === 1,
    );
    controller.abort();
    await expect(called).rejects.toMatchObject({ reason: "cancelled" });
    await until(async () => (await job())?.finished === true);
    expect((await job())?.counts).toEqual({ cancelled: 1 });
  });

  it("give large outputs to be read", async () => {
    const { node1 } = await sync("node1").command.run("seq 100000");
    const [status, stdout, stderr] = node1 as Library.Value[];
    expect([status, stderr]).toEqual([0, ""]);
    if (!(stdout instanceof library.Output)) throw new Error("not an output");
    const text = Array.from({ length: 100_000 }, (_, at) => `${at + 1}\n`).join("");
    expect(stdout.size).toBe(text.length);
    expect(await stdout.text()).toBe(text);
    const pieces: Uint8Array[] = [];
    for await (const piece of stdout.pieces()) pieces.push(piece);
    expect(Buffer.concat(pieces).toString()).toBe(text);
    await expect(stdout.bytes({ maxBytes: 10 })).rejects.toMatchObject({ reason: "too-large" });
    expect(await library.textOf(stdout)).toBe(text);
  });
});

describe("jobs", () => {
  it("are started, asked for, and followed", async () => {
    const o = async();
    const id = await o.command.run("sleep 0.3; echo $FUNC_X; echo done");
    expect(id).toMatch(/^\*-command-run-\d+\.\d+$/);
    const [code, results] = await o.jobStatus(id);
    expect([0, 3]).toContain(code);
    if (code === library.JOB_ID_RUNNING) expect(results).toBeUndefined();
    const seen = new Map<string, Library.MinionOutcome>();
    for await (const outcome of o.results(id)) seen.set(outcome.minion, outcome);
    expect([...seen.keys()].sort()).toEqual(["node1", "node2"]);
    expect(seen.get("node1")).toMatchObject({ state: "succeeded", value: [0, "\ndone\n", ""] });
    const whole = { node1: [0, "\ndone\n", ""], node2: [0, "\ndone\n", ""] };
    expect(await o.jobStatus(id)).toEqual([library.JOB_ID_FINISHED, whole]);
    expect(await o.wait(id)).toEqual(whole);
    expect(await o.openJobIds()).toMatchObject({ [id]: library.JOB_ID_FINISHED });
    expect(await o.tailLog(id, "node1")).toEqual({
      stdout: "\ndone\n",
      stderr: "",
      finished: true,
    });
    expect(await o.checkProgress(id, "node1")).toEqual({ done: 0, total: 0, finished: true });
  });

  it("are followed over a restart of the overlord", async () => {
    const o = async();
    const file = join(fleet.root, "restart");
    const id = await o.command.run(
      `while [ ! -e ${file} -a -d ${fleet.root} ]; do sleep 0.05; done; echo over`,
    );
    const seen = new Map<string, Library.MinionOutcome>();
    const following = (async () => {
      for await (const outcome of o.results(id)) seen.set(outcome.minion, outcome);
    })();
    await until(async () => (await o.jobStatus(id))[0] === library.JOB_ID_PARTIAL);
    const { pid } = await readEndpoint(fleet.data);
    process.kill(pid, "SIGKILL");
    await writeFile(file, "");
    await following;
    expect([...seen.values()].map(({ state, value }) => [state, value])).toEqual([
      ["succeeded", [0, "over\n", ""]],
      ["succeeded", [0, "over\n", ""]],
    ]);
  });

  it("that are unknown are lost in space", async () => {
    const [code, results] = await async().jobStatus("no-such-job");
    expect([code, results]).toEqual([library.JOB_ID_LOST_IN_SPACE, undefined]);
    await expect(async().wait("no-such-job")).rejects.toMatchObject({ reason: "not-found" });
  });

  it("can be left while they run, and cancelled", async () => {
    const o = async("node1");
    const id = await o.command.run("echo here; sleep 600");
    const controller = new AbortController();
    const waiting = o.wait(id, { signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ reason: "cancelled" });
    await until(async () => (await o.tailLog(id, "node1")).stdout === "here\n");
    expect((await o.jobStatus(id))[0]).toBe(library.JOB_ID_PARTIAL);
    await o.cancel(id);
    const { node1 } = await o.wait(id);
    expect(node1).toBeInstanceOf(library.RemoteError);
    expect(node1).toMatchObject({ minion: "node1" });
  });
});

it("lists the minions of its target expression", async () => {
  expect(await sync().listMinions()).toEqual(["node1", "node2"]);
  const less = keep(new library.Client("*", { home: fleet.data, exclude: "node1" }));
  expect(await less.listMinions()).toEqual(["node2"]);
});

it("answers nothing once it is closed", async () => {
  const o = sync();
  expect(await o.test.ping()).toEqual({ node1: 1, node2: 1 });
  await o.close();
  await expect(o.test.ping()).rejects.toMatchObject({ reason: "unavailable" });
});

it("leaves no job behind whose start was given up", async () => {
  const o = async("node1");
  await o.listMinions();
  const controller = new AbortController();
  const started = o.call("command", "run", ["sleep 600"], { signal: controller.signal });
  // the request has left, its answer is not here
  setImmediate(() => {
    controller.abort();
  });
  await expect(started).rejects.toMatchObject({ reason: "cancelled" });
  await until(async () => {
    const codes = Object.values(await o.openJobIds());
    return codes.every((code) => code === library.JOB_ID_FINISHED);
  });
});

it("begins no data directory that was not meant", async () => {
  const home = `${fleet.root}/mistyped`;
  expect(() => new library.Overlord("*", { home })).toThrow(
    expect.objectContaining({
      reason: "not-found",
      message: expect.stringContaining(home) as string,
    }),
  );
  expect(existsSync(home)).toBe(false);
  // nothing is begun before the first call
  await keep(new library.Overlord("*", { home, create: true })).close();
});

it("starts no overlord where it may not", async () => {
  const o = keep(new library.Overlord("*", { home: `${fleet.root}/none`, start: false }));
  await expect(o.test.ping()).rejects.toMatchObject({ reason: "not-found" });
});
