import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLog } from "../../server/common/log";
import { currentBootId, identifyProcess } from "../../server/common/processIdentity";
import { runCommand } from "../../server/minion/commandRunner";
import { JobFolder } from "../../server/minion/jobFolder";
import { newJobId } from "../../server/minion/jobId";
import { MinionJobs } from "../../server/minion/minionJobs";
import type { XmlRpcValue } from "../../server/wire/value";

const KEY = "ab".repeat(32);
const never = new AbortController().signal;

let root: string;
let jobs: MinionJobs;
const opened: MinionJobs[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "funcd-"));
  jobs = await open();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
  await rm(root, { recursive: true, force: true });
});

async function open(): Promise<MinionJobs> {
  const one = await MinionJobs.open(join(root, "jobs"), silentLog);
  opened.push(one);
  return one;
}

async function start(
  command: string,
  { callId, env = {} }: { callId?: string; env?: Record<string, string> } = {},
): Promise<string> {
  return jobs.start({
    method: "command.run",
    argumentsDigest: command,
    owner: KEY,
    callId,
    work: { command, env },
  });
}

async function result(id: string): Promise<XmlRpcValue | undefined> {
  await jobs.waitFor(id, AbortSignal.timeout(30_000));
  const [code, value] = await jobs.status(id);
  expect(code).toBe(1);
  return value;
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = Date.now() + 30_000;
  while (!(await what())) {
    if (Date.now() > endMs) throw new Error("it did not come to pass");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function run(command: string, env: Record<string, string> = {}): Promise<XmlRpcValue> {
  return runCommand({ command, env }, never);
}

/** True while a process has exactly this command line. */
function runs(marker: string): boolean {
  const commandLine = `${marker.replace(" ", "\0")}\0`;
  return readdirSync("/proc").some((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, "utf8") === commandLine;
    } catch {
      return false;
    }
  });
}

describe("command.run", () => {
  it("answers return code and outputs as the shell gives them", async () => {
    expect(await run("echo -n foo")).toEqual([0, "foo", ""]);
    expect(await run("echo 'foobar' | grep foo; echo e >&2; exit 3")).toEqual([
      3,
      "foobar\n",
      "e\n",
    ]);
    expect(await run("echo $BLIPPYFOO", { BLIPPYFOO: "awesome" })).toEqual([0, "awesome\n", ""]);
    expect(await run("kill -9 $$")).toEqual([-9, "", ""]);
    expect(await run("exit 143")).toEqual([143, "", ""]);
    expect(await run("cat; pwd")).toEqual([0, "/\n", ""]);
    expect(await run("nosuchcommand")).toMatchObject({ 0: 127 });
    expect(await run("env | grep -c '^NODE_' || true")).toEqual([0, "0\n", ""]);
  });

  it("answers text as text and anything else as bytes", async () => {
    expect(await run("printf 'gr\\303\\274n\\001'")).toEqual([0, "grün\u0001", ""]);
    expect(await run("printf '\\377\\000a'")).toEqual([0, Buffer.from([255, 0, 97]), ""]);
  });

  it("says so where the output is too much, and ends the command", async () => {
    const marker = `sleep 6${randomBytes(4).readUInt32BE()}`;
    await expect(
      runCommand({ command: `yes & ${marker}`, env: {} }, never, 100_000),
    ).rejects.toThrow(/more than 100000 bytes.*read it in parts/);
    await until(() => !runs(marker));
  });

  it("does not wait for ever for a daemon that holds its output", async () => {
    const answer = (await run("sleep 30 & echo $!")) as [number, string, string];
    expect(answer).toEqual([0, expect.stringMatching(/^\d+\n$/), ""]);
    process.kill(Number(answer[1]));
  });

  it("ends the whole process group when it is cancelled, also one that ignores TERM", async () => {
    const marker = `sleep 7${randomBytes(4).readUInt32BE()}`;
    const cancelling = new AbortController();
    const answer = runCommand(
      { command: `trap '' TERM; ${marker} & ${marker}; echo no`, env: {} },
      cancelling.signal,
    );
    await until(() => runs(marker));
    cancelling.abort();
    expect(await answer).toEqual([-9, "", ""]);
    await until(() => !runs(marker));
  });
});

describe("an async command", () => {
  it("ends like the same sync one", async () => {
    for (const command of [
      "echo out; echo err >&2; exit 3",
      "exit 143",
      "kill -9 $$",
      "printf '\\377'",
      "cat; pwd; umask",
      "env | grep -c '^funcd_\\|^FUNCD_'",
    ]) {
      expect(await result(await start(command))).toEqual(await run(command));
    }
    const env = { PATH: "/nowhere", A: "x y" };
    expect(await result(await start("echo $PATH $A", { env }))).toEqual([0, "/nowhere x y\n", ""]);
  });

  it("runs until it is cancelled, with the outputs so far", async () => {
    const marker = `sleep 8${randomBytes(4).readUInt32BE()}`;
    const id = await start(`echo begun; ${marker}; echo no`);
    await until(async () => (await jobs.folderOf(id)?.tail("stdout", 5)) === "begun\n");
    expect(await jobs.status(id)).toEqual([0, -1]);
    expect(await jobs.cancel(id, KEY)).toBe(true);
    expect(await result(id)).toEqual([-15, "begun\n", ""]);
    expect(runs(marker)).toBe(false);
    expect(await jobs.cancel(id, KEY)).toBe(false);
    expect(await jobs.status("123.45-minion")).toEqual([2, 0]);
  });

  it("is killed where it ignores TERM", async () => {
    const marker = `sleep 8${randomBytes(4).readUInt32BE()}`;
    const id = await start(`trap '' TERM; ${marker} & ${marker}`);
    await until(() => runs(marker));
    await jobs.cancel(id, KEY);
    expect(await result(id)).toMatchObject({ 0: -9 });
    await until(() => !runs(marker));
  });

  it("runs on without its funcd, and is adopted by the next one", async () => {
    const gate = join(root, "gate");
    const id = await start(`echo one; while [ ! -e ${gate} ]; do sleep 0.05; done; exit 4`);
    await until(async () => (await jobs.folderOf(id)?.tail("stdout", 5)) === "one\n");
    await jobs.close();
    jobs = await open();
    expect(await jobs.status(id)).toEqual([0, -1]);
    execFileSync("touch", [gate]);
    expect(await result(id)).toEqual([4, "one\n", ""]);
    // and once more from the disk
    await jobs.close();
    jobs = await open();
    expect(await jobs.status(id)).toEqual([1, [4, "one\n", ""]]);
  });

  it("that ended while no funcd ran is told by the next one; an adopted one can be cancelled", async () => {
    const gate = join(root, "gate");
    const done = await start(`while [ ! -e ${gate} ]; do sleep 0.05; done; echo done >&2`);
    const endless = await start(`while :; do sleep 0.05; done`);
    const folder = jobs.folderOf(done)?.path ?? "";
    await until(() => existsSync(join(folder, "identity")));
    await until(async () => (await jobs.folderOf(endless)?.readRunner()) !== undefined);
    await jobs.close();
    execFileSync("touch", [gate]);
    await until(() => existsSync(join(folder, "exit")));
    jobs = await open();
    expect(await result(done)).toEqual([0, "", "done\n"]);
    expect(await jobs.cancel(endless, KEY)).toBe(true);
    expect(await result(endless)).toMatchObject({ 0: -15 });
  });

  it("is lost where its runner is killed or never began, and then never begins", async () => {
    const id = await start("kill -9 $PPID; sleep 0.1");
    expect(await result(id)).toMatchObject({
      0: "REMOTE_ERROR",
      2: expect.stringMatching(/^lost:/) as string,
    });
    await jobs.close();
    const record = {
      id: newJobId(),
      method: "command.run",
      kind: "command" as const,
      startedAtMs: Date.now(),
      bootId: currentBootId(),
      argumentsDigest: "",
      owner: KEY,
    };
    const folder = await JobFolder.create(join(root, "jobs"), record);
    jobs = await open();
    expect(await result(record.id)).toMatchObject({
      2: expect.stringContaining("did not run") as string,
    });
    // a late runner finds the job given up
    const { runCommandJob } = await import("../../server/minion/commandJob");
    const late = runCommandJob(folder, { command: `touch ${root}/ran`, env: {} }, never);
    await expect(late).rejects.toThrow("lost");
    expect(existsSync(join(root, "ran"))).toBe(false);
  });

  describe("whose funcd was away", () => {
    /** Ends funcd, lets `change` do something to the folder of a job that runs, and starts the next funcd. */
    async function meanwhile(change: (folder: string) => void): Promise<string> {
      const id = await start("sleep 600");
      const folder = jobs.folderOf(id)?.path ?? "";
      await until(async () => typeof (await jobs.folderOf(id)?.readRunner()) === "object");
      const runner = await jobs.folderOf(id)?.readRunner();
      await jobs.close();
      change(folder);
      jobs = await open();
      if (typeof runner === "object") process.kill(-runner.pid, "SIGKILL");
      return id;
    }
    const lost = (why: string) => ({
      0: "REMOTE_ERROR",
      1: "func.minion.codes.JobLostException",
      2: expect.stringContaining(why) as string,
    });

    it("is not taken for a later process of its number", async () => {
      const own = identifyProcess(process.pid);
      const id = await meanwhile((folder) => {
        const file = join(folder, "identity");
        const [boot = "", stat = ""] = readFileSync(file, "utf8").split("\n");
        const fields = stat.split(" ");
        fields[0] = String(own?.pid);
        writeFileSync(file, `${boot}\n${fields.join(" ")}\n`);
      });
      expect(await result(id)).toMatchObject(lost("something killed its runner"));
      expect(await jobs.cancel(id, KEY)).toBe(false);
    });

    it("is lost with a restart of the host, though a process of its number and time runs", async () => {
      const id = await meanwhile((folder) => {
        const stat = readFileSync("/proc/self/stat", "utf8");
        writeFileSync(join(folder, "identity"), `an-earlier-boot\n${stat}`);
      });
      expect(await result(id)).toMatchObject(lost("the host was restarted"));
    });

    it("may have run where the host was restarted and nothing tells whether it began", async () => {
      const id = await meanwhile((folder) => {
        const file = join(folder, "job.json");
        const record = JSON.parse(readFileSync(file, "utf8")) as object;
        writeFileSync(file, JSON.stringify({ ...record, bootId: "an-earlier-boot" }));
        writeFileSync(join(folder, "identity"), "");
      });
      expect(await result(id)).toMatchObject(lost("it may have run"));
    });

    it("is lost where its exit status could not be written", async () => {
      const id = await meanwhile((folder) => {
        writeFileSync(join(folder, "exit.new"), "");
      });
      expect(await result(id)).toMatchObject(lost("could not be written"));
    });
  });

  it("keeps what was acknowledged in mind, and nothing but results that are there", async () => {
    const id = await start("echo done");
    await result(id);
    const running = await start("sleep 600");
    expect(await jobs.acknowledge([id, id, running, "none"], KEY)).toBe(1);
    expect(await jobs.acknowledge([id], "other")).toBe(0);
    await until(async () => (await jobs.folderOf(running)?.readRunner()) !== undefined);
    await jobs.close();
    jobs = await open();
    expect(await jobs.folderOf(id)?.isAcknowledged()).toBe(true);
    expect(await jobs.status(id)).toEqual([1, [0, "done\n", ""]]);
    await jobs.cancel(running, KEY);
    await result(running);
  });

  it("is not started where nothing can be written to its folder", async () => {
    const record = {
      id: newJobId(),
      method: "command.run",
      kind: "command" as const,
      startedAtMs: Date.now(),
      argumentsDigest: "",
      owner: KEY,
    };
    const folder = await JobFolder.create(join(root, "jobs"), record);
    mkdirSync(join(folder.path, "identity.new")); // as good as a full disk
    const { runCommandJob } = await import("../../server/minion/commandJob");
    const run = runCommandJob(folder, { command: `touch ${root}/ran`, env: {} }, never);
    await expect(run).rejects.toThrow("was not started");
    expect(existsSync(join(root, "ran"))).toBe(false);
  });

  it("shows its last lines and its progress", async () => {
    const id = await start("seq 60; echo 'Progress report 3/7 completed'; echo warn >&2; sleep 30");
    const folder = jobs.folderOf(id);
    await until(async () => (await folder?.tail("stderr", 50)) === "warn\n");
    const tail = await folder?.tail("stdout", 50);
    expect(tail?.split("\n")).toHaveLength(51);
    expect(tail?.startsWith("12\n")).toBe(true);
    await jobs.cancel(id, KEY);
    await result(id);
  });

  it("is started once for a repeated call id, also by the next funcd", async () => {
    const command = `echo x >>${root}/ran`;
    const ids = await Promise.all([1, 2, 3].map(() => start(command, { callId: "c1" })));
    expect(new Set(ids).size).toBe(1);
    await result(ids[0] ?? "");
    await jobs.close();
    jobs = await open();
    expect(await start(command, { callId: "c1" })).toBe(ids[0]);
    expect(readFileSync(join(root, "ran"), "utf8")).toBe("x\n");
    await expect((async () => start("other", { callId: "c1" }))()).rejects.toThrow("another call");
  });

  it("that cannot be started ends with the reason", async () => {
    const id = await start("x".repeat(200_000));
    expect(await result(id)).toMatchObject({
      0: "REMOTE_ERROR",
      2: expect.stringContaining("E2BIG") as string,
    });
  });
});

describe("a job inside funcd", () => {
  it("is lost with the funcd that it ran in", async () => {
    const id = await jobs.start({
      method: "test.sleep",
      argumentsDigest: "",
      owner: KEY,
      work: (signal) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => {
            resolve("aborted");
          });
        }),
    });
    await jobs.close();
    jobs = await open();
    expect(await result(id)).toMatchObject({
      0: "REMOTE_ERROR",
      2: "lost: funcd restarted while test.sleep ran inside it",
    });
  });
});
