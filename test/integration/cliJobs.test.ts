import { spawn, type ChildProcess } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isRunning, readEndpoint, until } from "../fixtures/overlordBundle";
import { buildPrograms, programScript, runProgram, type ProgramRun } from "../fixtures/programs";
import { RealFleet } from "../fixtures/realFleet";
import { shellWord } from "../../server/cli/shellWord";

let fleet: RealFleet;

beforeAll(async () => {
  fleet = await RealFleet.create();
  await fleet.add("web1", "web2", "db1", "off1");
  await buildPrograms(fleet.root, ["func"]);
});
afterAll(() => fleet.close());

function func(...words: string[]): Promise<ProgramRun> {
  return runProgram(fleet.root, "func", words, { env: { FUNC_HOME: fleet.data } });
}

/** A func that is watched while it runs. */
class Running {
  stdout = "";
  stderr = "";
  readonly status: Promise<number | null>;
  private readonly child: ChildProcess;

  constructor(words: readonly string[]) {
    const child = spawn(process.execPath, [programScript(fleet.root, "func"), ...words], {
      env: { ...process.env, FUNC_HOME: fleet.data },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child = child;
    child.stdout.setEncoding("utf8").on("data", (text: string) => (this.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    this.status = new Promise((resolve) => {
      child.on("close", resolve);
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}

/** Starts an async command; gives its job's id. */
async function start(command: string, spec = "*", ...options: string[]): Promise<string> {
  const { stdout, stderr } = await func(
    ...[spec, "call", "--async", "--nopoll", ...options, "command", "run", command],
  );
  const id = /^JOB_ID: '(.+)'\n$/.exec(stdout)?.[1];
  if (id === undefined) throw new Error(`no job: ${stdout}${stderr}`);
  return id;
}

/** A command that waits until its file is made. */
function gate(name: string): { wait: string; open: () => Promise<void> } {
  const file = join(fleet.root, name);
  return {
    // its end is also that of a test that fails
    wait: `while [ ! -e ${file} -a -d ${fleet.root} ]; do sleep 0.05; done`,
    open: () => writeFile(file, ""),
  };
}

/** The next one is started by whoever needs it. */
async function killOverlord(): Promise<void> {
  const { pid } = await readEndpoint(fleet.data);
  process.kill(pid, "SIGKILL");
  await until(() => !isRunning(pid));
}

const sorted = (text: string): string[] => text.trimEnd().split("\n").sort();

describe("func jobs", () => {
  it("follow: lines as they are written, then results; Ctrl-C leaves the job alone", async () => {
    const next = gate("follow");
    const id = await start(`echo begun; echo odd >&2; ${next.wait}; echo over; exit 2`, "web*");
    const left = new Running(["jobs", "follow", "last"]);
    await until(() => left.stdout.includes("web1 | begun") && left.stdout.includes("web2 ! odd"));
    left.signal("SIGINT");
    expect(await left.status).toBe(130);
    expect(left.stderr).toContain(`goes on; to cancel it: func jobs cancel ${shellWord(id)}`);

    const one = new Running(["jobs", "follow", id, "--minion", "web1"]);
    const all = new Running(["jobs", "follow", id.slice(-12)]);
    await until(() => one.stdout.includes("begun") && all.stdout.includes("web2 | begun"));
    await next.open();
    expect(await one.status).toBe(0);
    expect(one.stdout).toContain("web1 | over\nweb1: exit status 2\n");
    expect(one.stdout).not.toContain("web2");
    expect(one.stderr).toMatch(/^1 with another exit status than 0 in /);
    expect(await all.status).toBe(0);
    const lines = ["! odd", "| begun", "| over", ": exit status 2"];
    const of = (minion: string): string[] =>
      lines.map((line) => (line.startsWith(":") ? minion + line : `${minion} ${line}`));
    expect(sorted(all.stdout)).toEqual([...of("web1"), ...of("web2")].sort());

    const again = await func("jobs", "follow", id);
    expect(again.stdout).toContain(
      "web1: exit status 2\n    begun\n    over\n  stderr:\n    odd\n",
    );
    const json = await func("jobs", "follow", "--json", id);
    expect(JSON.parse(json.stdout)).toEqual({
      web1: [2, "begun\nover\n", "odd\n"],
      web2: [2, "begun\nover\n", "odd\n"],
    });
  });

  it("follow: what is no command's is shown as a result", async () => {
    const { stdout } = await func("web1", "call", "-an", "test", "add", "1", "2");
    const id = /'(.+)'/.exec(stdout)?.[1] ?? "";
    expect(await func("jobs", "follow", id)).toMatchObject({ status: 0, stdout: "web1: 12\n" });
  });

  it("follow: nothing is lost or doubled where the overlord dies meanwhile", async () => {
    const next = gate("restart");
    const id = await start(`seq 1 2000; ${next.wait}; seq 2001 4000`, "web1;db1");
    const following = new Running(["jobs", "follow", id]);
    await until(
      () => following.stdout.includes("web1 | 2000\n") && following.stdout.includes("db1 | 2000\n"),
    );
    await killOverlord();
    await next.open();
    expect([await following.status, following.stderr]).toEqual([0, expect.any(String)]);
    expect(following.stderr).toContain("another one goes on with the job");
    for (const minion of ["web1", "db1"]) {
      const numbers = following.stdout
        .split("\n")
        .filter((line) => line.startsWith(`${minion} | `))
        .map((line) => Number(line.slice(minion.length + 3)));
      expect(numbers).toEqual(Array.from({ length: 4_000 }, (_, at) => at + 1));
    }
    expect(following.stdout).toContain("web1: exit status 0\n");
  });

  it("show: what is known, with all minions off", async () => {
    const id = await start("echo kept", "off1;web1");
    await func("jobs", "follow", id);
    await fleet.stopMinion("off1");
    const shown = await func("jobs", "show", id);
    expect(shown.status).toBe(0);
    expect(shown.stdout).toContain(`job:      ${id}\ncall:     command.run "echo kept" (async)\n`);
    expect(shown.stdout).toContain("minions:  2 of off1;web1\n");
    expect(shown.stdout).toContain("state:    finished: 2 succeeded\n");
    expect(shown.stdout).toContain("off1: exit status 0\n    kept\n");
    const one = await func("jobs", "show", "last", "--minion", "OFF*", "--json");
    expect(JSON.parse(one.stdout)).toEqual({ off1: [0, "kept\n", ""] });
    const none = await func("jobs", "show", id, "--minion", "db*");
    expect(none).toMatchObject({ status: 2, stdout: "" });
    expect(none.stderr).toContain('"db*" matches none of the 2 minions');
    const near = await func("jobs", "show", id, "--minion", "web1;of1");
    expect(near.stderr).toContain('"of1" matches none of the 2 minions');
    expect(near.stderr).toContain("Did you mean off1?");
    await fleet.startMinion("off1");
  });

  it("list: with filters, and what stands for an id", async () => {
    const { stdout } = await func("nobody-like-it", "ping");
    expect(stdout).toBe("");
    await func("web1", "call", "test", "explode");
    const running = await start("sleep 600", "db1");
    const ids = async (...words: string[]): Promise<string[]> => {
      const { stdout: text } = await func("jobs", "list", "--json", ...words);
      return (JSON.parse(text) as { id: string }[]).map(({ id }) => id);
    };
    expect(await ids("--state", "running")).toEqual([running]);
    expect(await ids("--state", "problems", "--module", "test")).toEqual([
      expect.stringMatching(/^web1-test-explode-/),
    ]);
    expect(await ids("--minion", "db*", "--last", "1")).toEqual([running]);
    expect(await ids("--until", "2020-01-01")).toEqual([]);
    expect(await ids("--minion", "off1;db*", "--state", "running")).toEqual([running]);
    for (const words of [["list"], ["search", "sleep"]]) {
      const mistyped = await func("jobs", ...words, "--minion", "wbe1");
      expect(mistyped).toMatchObject({ status: 2, stdout: "" });
      expect(mistyped.stderr).toContain('No job has a minion "wbe1"');
      expect(mistyped.stderr).toContain("Did you mean web1");
    }
    expect((await func("jobs", "list", "--state", "running")).stdout).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}running {2}db1-command-run-\S+ {2}command.run "sleep 600" \(async\) {2}1 running\n$/,
    );
    const unknown = await func("jobs", "show", "no-such");
    expect(unknown.status).toBe(1);
    expect(unknown.stderr).toContain('No job\'s id begins or ends with "no-such"');
    const several = await func("jobs", "show", "web1");
    expect(several.status).toBe(2);
    expect(several.stderr).toContain("begins or ends the ids of ");
    expect((await func("jobs", "cancel", "db1-command")).stdout).toMatch(/cancel/);
    await until(async () => (await ids("--state", "running")).length === 0);
  });

  it("show, follow and retry: what was cancelled, and what it had written", async () => {
    const id = await start("echo halfway; sleep 600", "web1;web2;db1", "--batch", "2");
    const watched = new Running(["jobs", "follow", id]);
    await until(() => (watched.stdout.match(/halfway/g) ?? []).length === 2);
    await func("jobs", "cancel", id);
    expect(await watched.status).toBe(1);
    expect(watched.stderr).toMatch(/^3 cancelled \(1 not begun\) in /);

    const shown = await func("jobs", "show", id);
    expect(shown).toMatchObject({ status: 1, stderr: "" });
    expect(shown.stdout).toContain("db1: cancelled: db1 has stopped the job.\n");
    expect(shown.stdout).toContain("web2: cancelled before it began; nothing was run on web2.\n");
    expect(shown.stdout).toContain(`had written that were stopped: func jobs follow '${id}'\n`);
    await killOverlord();
    const over = await func("jobs", "follow", id);
    expect(over.stdout).toContain("db1 | halfway\n");
    expect(over.stdout).toContain("web1 | halfway\n");
    expect(over.stdout).toContain("web2: cancelled ");
    expect(over.stderr).toMatch(/^3 cancelled \(1 not begun\) in /);

    const retried = await func("jobs", "retry", id, "-n");
    expect(retried.stderr).toContain("The method may have run on db1, web1: look there");
    expect(retried.stderr).toContain(`func jobs retry '${id}' --minion 'db1;web1'\n`);
    await func("jobs", "cancel", id);
  });

  it("retry: those that failed, as another attempt", async () => {
    const file = join(fleet.root, "retry");
    const id = await start(`cat ${file}`, "web1;web2");
    await func("jobs", "follow", id);
    // a command that fails has a result; a minion that is off has none
    await fleet.stopMinion("web2");
    const failed = await start("echo attempted", "web1;web2");
    expect((await func("jobs", "follow", failed)).status).toBe(1);
    await fleet.startMinion("web2");
    const retried = await func("jobs", "retry", failed);
    expect(retried.stdout).toBe("web2: exit status 0\n    attempted\n");
    expect(retried.stderr).toMatch(/^1 ok in /);
    expect(retried.status).toBe(0);
    const attempts = await func("jobs", "show", failed, "--attempts", "--json", "--minion", "web2");
    expect(JSON.parse(attempts.stdout)).toEqual({
      web2: [
        ["REMOTE_ERROR", expect.any(String), expect.any(String), ""],
        [0, "attempted\n", ""],
      ],
    });
    expect((await func("jobs", "show", failed)).stdout).toContain("attempts: 2\n");
  });

  it("search: in the results of all jobs", async () => {
    const id = await start("echo needle-in-a-stack", "web*");
    await func("jobs", "follow", id);
    const found = await func("jobs", "search", "NEEDLE-in", "--minion", "web1");
    expect(found.status).toBe(0);
    expect(found.stdout).toBe(`${id} web1: needle-in-a-stack\n`);
    const json = await func("jobs", "search", "needle-in-a-stack", "--match-case", "--json");
    expect(JSON.parse(json.stdout)).toContainEqual({
      jobId: id,
      minion: "web2",
      line: "needle-in-a-stack",
    });
    expect(await func("jobs", "search", "never-written")).toMatchObject({ status: 1, stdout: "" });
  });

  it("delete: finished ones, by id or by age", async () => {
    const id = await start("echo old", "web1");
    await func("jobs", "follow", id);
    const running = await start("sleep 600", "web1");
    expect(await func("jobs", "delete", running)).toMatchObject({ status: 1 });
    const deleted = await func("jobs", "delete", id, "--json");
    expect(JSON.parse(deleted.stdout)).toEqual({ deleted: [id] });
    expect(deleted.stderr).toBe("1 job deleted.\n");
    expect((await func("jobs", "show", id)).status).toBe(1);
    const unasked = await func("jobs", "delete", "--older-than", "0s");
    expect(unasked.status).toBe(2);
    expect(unasked.stderr).toContain("Add --yes.");
    expect((await func("jobs", "delete", "--older-than", "0s", "--yes")).status).toBe(0);
    const { stdout } = await func("jobs", "list", "--json");
    expect((JSON.parse(stdout) as { id: string }[]).map((job) => job.id)).toEqual([running]);
    await func("jobs", "cancel", running);
  });
});

describe("func call", () => {
  it("goes over its minions in steps, and stops after too many failures", async () => {
    const words = ["call", "--batch", "1", "--max-errors", "0", "test", "explode"];
    const { stdout, stderr, status } = await func("web1;web2;db1", "--json", ...words);
    expect(status).toBe(1);
    expect(Object.keys(JSON.parse(stdout) as object)).toHaveLength(3);
    expect(stderr).toMatch(/1 failed, 2 skipped|2 skipped, 1 failed/);
    expect(stderr).toMatch(/^2 skipped: \w+, \w+\n {4}1 had failed by then, none may\.\n/m);
    const order = await func("web1;web2;db1", "call", "--canary", "db1", "test", "ping");
    expect(order.stdout.split("\n")[0]).toBe("db1: 1");
    expect(order.status).toBe(0);
  });

  it("goes on with an async call where the overlord dies meanwhile", async () => {
    const next = gate("call");
    const words = ["web1;db1", "call", "--async", "command", "run", `${next.wait}; echo done`];
    const called = new Running(words);
    await until(async () => {
      const { stdout } = await func("jobs", "list", "--state", "running");
      return stdout.includes("2 running");
    });
    await killOverlord();
    await next.open();
    expect(await called.status).toBe(0);
    expect(sorted(called.stdout)).toEqual([
      "    done",
      "    done",
      "db1: exit status 0",
      "web1: exit status 0",
    ]);
  });

  it("gets the results where the overlord dies during a call that is waited for", async () => {
    const next = gate("sync");
    const words = ["web1;db1", "call", "command", "run", `${next.wait}; echo done`];
    const called = new Running(words);
    await until(async () => {
      const { stdout } = await func("jobs", "list", "--state", "running");
      return stdout.includes("2 sent") || stdout.includes("2 running");
    });
    await killOverlord();
    await next.open();
    expect(await called.status).toBe(0);
    expect(called.stderr).toContain("another one goes on with the job");
    expect(sorted(called.stdout)).toEqual([
      "    done",
      "    done",
      "db1: exit status 0",
      "web1: exit status 0",
    ]);
    expect(called.stderr).toMatch(/^2 ok in /m);
  });
});
