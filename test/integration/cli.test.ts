import { spawn } from "node:child_process";
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { connectOverlord, type OverlordConnection } from "../../server/client/connection";
import { startLocalFleet, type LocalFleet } from "../../server/client/localFleet";
import { shellWord } from "../../server/cli/shellWord";

const dist = join(process.cwd(), "dist");
const POLL_MS = 100;

let home: string;
let connection: OverlordConnection;
let fleet: LocalFleet;

interface Run {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the built func; `onSpawn` gets its process id. */
function func(words: string[], onSpawn?: (pid: number) => void): Promise<Run> {
  const child = spawn(process.execPath, [join(dist, "func.js"), ...words], {
    env: { ...process.env, FUNC_HOME: home },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const run: Run = { status: null, stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (run.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    run.stderr += text;
  });
  if (child.pid !== undefined) onSpawn?.(child.pid);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => {
      resolve({ ...run, status });
    });
  });
}

/** Process ids of this test's programs: each has the data directory among its words. */
function processesOfHome(): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(home);
    } catch {
      return false; // ended meanwhile
    }
  });
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "func-cli-"));
  writeFileSync(join(home, "overlord.yaml"), 'certmaster:\n  listen: "127.0.0.1:0"\n');
  connection = await connectOverlord({
    dataDirectory: home,
    kind: "library",
    version: "0",
    launch: { execPath: process.execPath, script: join(dist, "overlord.js") },
  });
  fleet = await startLocalFleet({
    connection,
    size: 2,
    home,
    funcdScript: join(dist, "funcd.js"),
    execPath: process.execPath,
  });
});

afterAll(async () => {
  await fleet.close();
  connection.dispose();
  await func(["overlord", "stop", "--force"]);
  const left = processesOfHome();
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  expect(left).toEqual([]);
});

it("pings and lists minions", async () => {
  const ping = await func(["*", "ping"]);
  expect(ping.stdout.split("\n").sort()).toEqual(["", "[ ok ... ] minion1", "[ ok ... ] minion2"]);
  expect(ping.stderr).toMatch(/^2 ok in /);
  expect(ping.status).toBe(0);
  expect(await func(["*", "list_minions"])).toEqual({
    status: 0,
    stdout: "minion1\nminion2\n",
    stderr: "",
  });
});

it("a command's own exit status is a result", async () => {
  const run = await func(["minion1", "call", "command", "run", "echo out; echo err >&2; exit 3"]);
  expect(run.stdout).toBe("minion1: exit status 3\n    out\n  stderr:\n    err\n");
  expect(run.stderr).toMatch(/^1 with another exit status than 0 in /);
  expect(run.status).toBe(0);
});

it("--json writes one object to stdout and nothing else", async () => {
  const run = await func(["--json", "--typed", "*", "call", "test", "add", "2", "3"]);
  expect(run.stdout.trimEnd().split("\n")).toHaveLength(1);
  expect(JSON.parse(run.stdout)).toEqual({ minion1: 5, minion2: 5 });
  expect(run.status).toBe(0);
  const untyped = await func(["-j", "minion1", "call", "test", "add", "2", "3"]);
  expect(JSON.parse(untyped.stdout)).toEqual({ minion1: "23" });
});

it("explains a minion's error, and status 1", async () => {
  const run = await func(["minion1", "call", "test", "no_such_method"]);
  expect(run.status).toBe(1);
  expect(run.stdout).toBe("");
  expect(run.stderr).toMatch(/^minion1: failed .+no_such_method/);
  expect(run.stderr).toContain("func minion1 methods test shows what there is.");
  const words = await func(["minion1", "call", "command", "run", "ls", "-l", "/tmp"]);
  expect(words.stderr).toContain("Quote a command line that has spaces");
  const json = await func(["-j", "minion1", "call", "test", "no_such_method"]);
  expect(json.status).toBe(1);
  expect(JSON.parse(json.stdout)).toEqual({
    minion1: ["REMOTE_ERROR", expect.any(String), expect.any(String), expect.any(String)],
  });
});

it("says once what all minions lack, with the nearest names", async () => {
  const module = await func(["*", "call", "comand", "run", "ls"]);
  expect(module).toMatchObject({ status: 1, stdout: "" });
  expect(module.stderr).toMatch(
    /^all 2 minions: failed \(.*ModuleNotFoundException\): .*"comand"\n {4}Did you mean command\? func minion[12] methods shows what there is\.\n2 failed in .*\n$/,
  );
  const method = await func(["minion1", "call", "command", "rnu", "ls"]);
  expect(method.stderr).toMatch(
    /^minion1: failed .*\n {4}Did you mean run\? func minion1 methods command shows what there is\.\n/,
  );
  const json = await func(["*", "call", "-j", "comand", "run"]);
  expect(Object.keys(JSON.parse(json.stdout) as object).sort()).toEqual(["minion1", "minion2"]);
  expect(json.stderr).toMatch(/^all 2 minions: failed .*\n.*\n2 failed in .*\n$/);
});

it("status 2 where nothing matches, with no output", async () => {
  const run = await func(["nobody*", "ping"]);
  expect(run).toMatchObject({ status: 2, stdout: "" });
  expect(run.stderr).toMatch(/^func: .*nobody/);
  expect(run.stderr).toContain('func "*" list_minions shows all.');
});

it("lists modules and methods", async () => {
  const modules = await func(["minion1", "methods"]);
  expect(modules.stdout).toMatch(/^command +\d+ methods? +Runs shell commands$/m);
  const methods = await func(["*", "methods", "command"]);
  expect(methods.stdout).toMatch(/^run +command:string \[env:hash\] +change +Runs a command/m);
  const json = await func(["-j", "minion1", "methods", "command"]);
  expect(JSON.parse(json.stdout)).toMatchObject({
    minion: "minion1",
    modules: [{ name: "command" }],
  });
  const wrong = await func(["minion1", "methods", "comand"]);
  expect(wrong).toMatchObject({ status: 2, stdout: "" });
  expect(wrong.stderr).toContain("Did you mean command?");
});

it("calls groups, without the excluded, and refuses what is misspelt", async () => {
  expect(await func(["group"])).toMatchObject({ status: 0, stdout: "" });
  const made = await func(["group", "add", "Both", "minion[1-9]", "not-yet;minion1"]);
  expect(made).toMatchObject({ status: 0, stdout: "both  minion[1-9], not-yet, minion1\n" });
  expect(made.stderr).toBe("not-yet is no minion yet: until then, using the group is an error.\n");
  for (const words of [["@both"], ["*", "-e", "@both"]]) {
    const refused = await func([...words, "ping"]);
    expect(refused).toMatchObject({ status: 2, stdout: "" });
    expect(refused.stderr).toMatch(
      /^func: The group "both" has "not-yet", which is no minion of this overlord\..*\n.*func group remove both not-yet$/m,
    );
  }
  expect((await func(["group", "remove", "both", "not-yet"])).status).toBe(0);
  expect((await func(["@both", "list_minions"])).stdout).toBe("minion1\nminion2\n");
  expect((await func(["@both:*2", "ping"])).stdout).toBe("[ ok ... ] minion2\n");
  const call = await func(["*", "call", "-j", "-e", "@BOTH:minion1", "test", "ping"]);
  expect(JSON.parse(call.stdout)).toEqual({ minion2: 1 });
  const { jobs } = await connection.request("jobs/list", {});
  expect(jobs).toContainEqual(expect.objectContaining({ spec: "*", exclude: "@BOTH:minion1" }));

  const misspelt = await func(["-e", "miniom1", "*", "ping"]);
  expect(misspelt).toMatchObject({ status: 2, stdout: "" });
  expect(misspelt.stderr).toMatch(/to exclude matching "miniom1".* Did you mean minion1/);
  const noGroup = await func(["@bth", "ping"]);
  expect(noGroup.stderr).toMatch(
    /^func: There is no group "bth"\. Did you mean @both\?\n.*group list/,
  );
  expect((await func(["-e", "*", "*", "ping"])).stderr).toContain("excludes every minion");

  appendFileSync(join(home, "groups"), "[db]\nhots = minion1\n");
  const damaged = await func(["@both", "ping"]);
  expect(damaged).toMatchObject({ status: 1, stdout: "" });
  expect(damaged.stderr).toMatch(/^func: \S+\/groups:\d+: /);
  expect((await func(["minion1", "list_minions"])).status).toBe(0);
  writeFileSync(join(home, "groups"), "# by hand\n[both]\nhost = minion2\n");
  expect((await func(["@both", "list_minions"])).stdout).toBe("minion2\n");
  expect((await func(["group", "remove", "both", "minion1"])).status).toBe(1);
  expect((await func(["group", "remove", "both"])).stderr).toBe("The group both is deleted.\n");
  expect((await func(["group", "list", "--json"])).stdout).toBe("[]\n");
});

it("an async job is followed, or polled by its id", async () => {
  const followed = await func(["-aj", "*", "call", "command", "run", "echo hi"]);
  expect(JSON.parse(followed.stdout)).toEqual({
    minion1: [0, "hi\n", ""],
    minion2: [0, "hi\n", ""],
  });
  const started = await func(["*", "call", "--async", "--nopoll", "test", "sleep", "1"]);
  const jobId = /^JOB_ID: '(.+)'\n$/.exec(started.stdout)?.[1] ?? "";
  expect(jobId).toContain("test-sleep");
  let status: Run | undefined;
  await until(async () => {
    status = await func(["*", "call", "--json", "--jobstatus", jobId]);
    expect(status.status).toBe(0);
    return status.stdout.startsWith("[1,");
  });
  const [code, results] = JSON.parse(status?.stdout ?? "") as [number, Record<string, unknown>];
  expect(code).toBe(1);
  expect((await func(["*", "call", "--jobstatus", jobId])).stdout).toMatch(
    /^1 JOB_ID_FINISHED: 2 of 2 have answered\n/,
  );
  expect(Object.keys(results).sort()).toEqual(["minion1", "minion2"]);
  expect((await func(["jobs", "list"])).stdout).toContain(jobId);
  expect((await func(["jobs", "follow", jobId])).stderr).toMatch(/^2 ok in /);
  const unknown = await func(["*", "call", "--jobstatus", "no-such-job"]);
  expect(unknown).toMatchObject({ status: 1, stdout: "2 JOB_ID_LOST_IN_SPACE\n" });
  expect(unknown.stderr).toMatch(/^func: There is no job "no-such-job"\.\n {6}Jobs are kept/);
  expect((await func(["*", "call", "-j", "--jobstatus", "no-such-job"])).stdout).toBe("[2,null]\n");

  // of its minions, those that SPEC means
  const two = await func(["minion2", "call", "-s", jobId]);
  expect(two.stdout).toMatch(/^1 JOB_ID_FINISHED: 2 of 2 have answered\nminion2: [0-9.]+\n$/);
  const json = await func(["*", "-e", "minion2", "call", "-js", jobId]);
  expect(Object.keys((JSON.parse(json.stdout) as [number, object])[1])).toEqual(["minion1"]);
  const none = await func(["minion9", "call", "--jobstatus", jobId]);
  expect(none).toMatchObject({ status: 2, stdout: "" });
  expect(none.stderr).toContain('matching "minion9"');
  const single = (await func(["minion1", "call", "-an", "test", "ping"])).stdout;
  const other = await func(["minion2", "call", "-s", /'(.+)'/.exec(single)?.[1] ?? ""]);
  expect(other).toMatchObject({ status: 2, stdout: "" });
  expect(other.stderr).toMatch(/^func: .*"minion2" matches none of the minions of the job /);
});

it("Ctrl-C cancels the job and shows what came of it", async () => {
  let pid = 0;
  const running = func(["minion1", "call", "command", "run", "sleep 600"], (id) => (pid = id));
  await until(async () => {
    const { jobs } = await connection.request("jobs/list", {});
    return jobs.some((job) => job.method === "run" && !job.finished);
  });
  process.kill(pid, "SIGINT");
  const run = await running;
  expect(run.status).toBe(1);
  expect(run.stderr).toContain("cancelling");
  expect(run.stderr).toMatch(/1 cancelled in /);
});

it("only ends func where a watch is interrupted, the terminal is closed, or an async job was to be ended", async () => {
  const call = ["minion1", "call", "command", "run", "sleep 601"];
  const { stdout } = await func([...call.slice(0, 2), "-an", ...call.slice(2)]);
  const watched = /'(.+)'/.exec(stdout)?.[1] ?? "";
  const running = async (): Promise<string[]> =>
    (await connection.request("jobs/list", {})).jobs.flatMap((job) =>
      job.finished ? [] : [job.id],
    );
  /** Signals it once the job that it starts, or watches, is there. */
  const signalled = async (words: string[], signal: NodeJS.Signals): Promise<Run> => {
    const jobs = (await running()).length + (words[0] === "jobs" ? 0 : 1);
    const { clients } = await connection.request("overlord/status", {});
    let pid = 0;
    const run = func(words, (id) => (pid = id));
    await until(async () => {
      const status = await connection.request("overlord/status", {});
      return status.clients > clients && (await running()).length === jobs;
    });
    // its handlers are set once it has asked for the job
    await new Promise((resolve) => setTimeout(resolve, 300));
    process.kill(pid, signal);
    return run;
  };
  const left = (id: string): string => `goes on; to cancel it: func jobs cancel ${shellWord(id)}`;

  const watch = await signalled(["jobs", "follow", watched], "SIGINT");
  expect(watch.status).toBe(130);
  expect(watch.stderr).toContain(left(watched));
  expect((await signalled(["jobs", "follow", watched], "SIGTERM")).status).toBe(143);
  expect(await running()).toEqual([watched]);

  const closed = await signalled(call, "SIGHUP");
  expect(closed.status).toBe(129);
  const asynchronous = await signalled(["-a", ...call], "SIGTERM");
  expect(asynchronous.status).toBe(143);
  const jobs = await running();
  expect(jobs).toHaveLength(3);
  for (const { stderr } of [closed, asynchronous]) {
    expect(jobs.some((id) => stderr.includes(left(id)))).toBe(true);
  }

  const stop = await func(["overlord", "stop"]);
  expect(stop).toMatchObject({ status: 1, stdout: "" });
  expect(stop.stderr).toMatch(/^func: 3 jobs run: /);
  expect(stop.stderr).toMatch(/func overlord stop --force.*may go on on the hosts/);

  const ended = await signalled(call, "SIGTERM");
  expect(ended.status).toBe(1);
  expect(ended.stderr).toMatch(/1 cancelled in /);
  expect(await running()).toEqual(jobs);
  for (const id of jobs) expect((await func(["jobs", "cancel", id])).status).toBe(0);
});

it("a closed pipe ends func without a word", async () => {
  const pipe = `"${process.execPath}" "${join(dist, "func.js")}" "*" call command run "seq 50000"`;
  const shell = spawn("sh", ["-c", `${pipe} | head -n 1`], {
    env: { ...process.env, FUNC_HOME: home },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  shell.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  await new Promise((resolve) => shell.on("close", resolve));
  expect(stderr).not.toMatch(/EPIPE|at .*\.js/);
});

it("a full disk is told, and status 1", async () => {
  const shell = spawn(
    "sh",
    ["-c", `"${process.execPath}" "${join(dist, "func.js")}" "*" ping >/dev/full`],
    {
      env: { ...process.env, FUNC_HOME: home },
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  let stderr = "";
  shell.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const status = await new Promise((resolve) => shell.on("close", resolve));
  expect(stderr).toMatch(/^func: the output cannot be written: ENOSPC/m);
  expect(status).toBe(1);
});

it("a stopped minion gets its own explained entry", async () => {
  await fleet.stop("minion2");
  const run = await func(["-t", "5", "*", "ping"]);
  expect(run.status).toBe(1);
  expect(run.stdout).toContain("[ ok ... ] minion1\n");
  expect(run.stdout).toMatch(/\[ FAILED \] minion2 {2}\S.+/);
  expect(run.stderr).toMatch(/^1 ok, 1 unreachable in /);
});

it("forgets minions, once someone has agreed", async () => {
  const unasked = await func(["ca", "forget", "minion2"]);
  expect(unasked).toMatchObject({ status: 2, stdout: "" });
  expect(unasked.stderr).toMatch(/1 minion \(minion2\)[^]*Add --yes\./);
  expect(await func(["ca", "forget", "minion2", "nobody", "--yes"])).toMatchObject({ status: 2 });
  expect((await func(["*", "list_minions"])).stdout).toBe("minion1\nminion2\n");
  expect((await func(["group", "add", "web", "minion2", "mini*"])).stderr).toBe("");
  const forgotten = await func(["ca", "forget", "minion2", "--yes"]);
  expect(forgotten.status).toBe(0);
  expect(forgotten.stderr).toMatch(
    /^The group web still has minion2 .*: func group remove web minion2$/m,
  );
  expect((await func(["*", "list_minions"])).stdout).toBe("minion1\n");
});

it("makes tokens, and stops the overlord", async () => {
  const token = await func(["ca", "token", "--name", "web*", "--address", "127.0.0.1"]);
  expect(token.stdout).toMatch(/^func-join-\S+\n$/);
  expect((await func(["ca", "list"])).stdout).toContain("for web*");
  const status = await func(["overlord", "status", "--json"]);
  expect(JSON.parse(status.stdout)).toMatchObject({ dataDirectory: home, openTokens: 1 });
  const stop = await func(["overlord", "stop", "--force"]);
  expect(stop).toMatchObject({ status: 0, stdout: "" });
  expect(stop.stderr).toContain("1 open join token is void now.");
  expect((await func(["overlord", "status"])).status).toBe(1);
});
