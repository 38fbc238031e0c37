import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { connectOverlord, type OverlordConnection } from "../../server/client/connection";
import { startLocalFleet, type LocalFleet } from "../../server/client/localFleet";

const dist = join(process.cwd(), "dist");
/** As many as a call may bring. */
const LARGE_BYTES = 100_000_000;
/** What the overlord may take, however large the outputs are. */
const MAX_OVERLORD_KB = 400_000;

let home: string;
let connection: OverlordConnection;
let fleet: LocalFleet;

interface Run {
  status: number | null;
  stdout: Buffer;
  stderr: string;
}

function start(words: readonly string[], stdout: "pipe" | number = "pipe"): ChildProcess {
  return spawn(process.execPath, [join(dist, "func.js"), ...words], {
    env: { ...process.env, FUNC_HOME: home },
    stdio: ["ignore", stdout, "pipe"],
  });
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
}

/** Runs the built func. */
async function func(...words: string[]): Promise<Run> {
  const child = start(words);
  const [status, stdout, stderr] = await Promise.all([
    ended(child),
    child.stdout ? buffer(child.stdout) : Buffer.alloc(0),
    child.stderr ? text(child.stderr) : "",
  ]);
  return { status, stdout, stderr };
}

function run(command: string, ...options: string[]): Promise<Run> {
  return func("minion1", "call", ...options, "command", "run", command);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A file that commands of the minions can read. */
function fileWith(name: string, content: string | Uint8Array): string {
  const path = join(home, name);
  writeFileSync(path, content);
  return path;
}

/** Every plane, and what has to be escaped in XML, JSON or a terminal. */
function everyPlane(minBytes: number): string {
  const planes = Array.from({ length: 17 }, (_, plane) =>
    String.fromCodePoint(plane * 0x10000 + 0x41, plane * 0x10000 + 0x20ac),
  ).join("");
  const line = `${planes}<&>"\\\t]]>\ufffd\u2028\u202e \r\n`;
  return line.repeat(Math.ceil(minBytes / Buffer.byteLength(line)));
}

function bytesOfEachKind(count: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: count }, (_, at) => (at * 7 + (at >> 8)) & 0xff));
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "func-outputs-"));
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
  await func("overlord", "stop", "--force");
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
});

it("100 MB come through whole, and the overlord stays small", async () => {
  const line = "0123456789abcdef".repeat(4);
  const wanted = createHash("sha256");
  const block = `${line}\n`.repeat(1000);
  const times = Math.ceil(LARGE_BYTES / block.length);
  for (let at = 0; at < times; at++) wanted.update(block);
  const source = fileWith("block", block);
  const command = `for i in $(seq ${times}); do cat ${source}; done`;
  const raw = await run(command, "--raw");
  expect(raw).toMatchObject({ status: 0, stderr: "" });
  expect(sha256(raw.stdout)).toBe(wanted.digest("hex"));

  const human = await run(`for i in 1 2 3 4 5; do cat ${source}; done`);
  const shown = `    ${line}\n`.repeat(5_000);
  expect(human.stdout.toString() === `minion1: exit status 0\n${shown}`).toBe(true);
  const status = readFileSync(`/proc/${connection.hello.pid}/status`, "utf8");
  expect(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1])).toBeLessThan(MAX_OVERLORD_KB);
});

it("one line of 20 MB is one line", async () => {
  const { stdout, status } = await run("head -c 20000000 /dev/zero | tr '\\0' x");
  expect(status).toBe(0);
  expect(sha256(stdout)).toBe(
    sha256(Buffer.from(`minion1: exit status 0\n    ${"x".repeat(20_000_000)}\n`)),
  );
});

it("every plane of Unicode comes through, exactly and in JSON", async () => {
  const content = everyPlane(3_000_000);
  const source = fileWith("planes", content);
  expect(sha256((await run(`cat ${source}`, "--raw")).stdout)).toBe(sha256(Buffer.from(content)));
  for (const options of [["--json"], ["--json", "--typed"]]) {
    const { stdout } = await run(`cat ${source}; echo err >&2; exit 3`, ...options);
    const json = JSON.parse(stdout.toString()) as Record<string, unknown[]>;
    expect(json["minion1"]?.[0]).toBe(3);
    expect(json["minion1"]?.[1] === content).toBe(true);
    expect(json["minion1"]?.[2]).toBe("err\n");
  }
});

it("binary bytes come through, large and small", async () => {
  for (const count of [300, 3_000_001]) {
    const bytes = bytesOfEachKind(count);
    const source = fileWith("bytes", bytes);
    expect(sha256((await run(`cat ${source}`, "--raw")).stdout)).toBe(sha256(bytes));
    const base64 = bytes.toString("base64");
    const typed = JSON.parse(
      (await run(`cat ${source}`, "--json", "--typed")).stdout.toString(),
    ) as Record<string, unknown[]>;
    expect(sha256(Buffer.from(JSON.stringify(typed)))).toBe(
      sha256(Buffer.from(JSON.stringify({ minion1: [0, { $base64: base64 }, ""] }))),
    );
    const plain = JSON.parse((await run(`cat ${source}`, "--json")).stdout.toString()) as unknown;
    expect(sha256(Buffer.from(JSON.stringify(plain)))).toBe(
      sha256(Buffer.from(JSON.stringify({ minion1: [0, base64, ""] }))),
    );
    const people = (await run(`cat ${source}`)).stdout.toString("latin1");
    const shown = bytes.toString("latin1").replace(/\n(?=[^\n])/g, "\n    ");
    expect(people.trimEnd() === `minion1: exit status 0\n    ${shown}`.trimEnd()).toBe(true);
  }
});

it("results of several minions do not mix", async () => {
  const { stdout, status } = await func(
    "*",
    "call",
    "command",
    "run",
    "head -c 5000000 /dev/zero | tr '\\0' x | fold -w 99; echo",
  );
  expect(status).toBe(0);
  const blocks = stdout.toString().split(/^(?=minion)/m);
  expect(blocks.map((block) => block.slice(0, 7)).sort()).toEqual(["minion1", "minion2"]);
  expect(blocks[0]?.slice(7)).toBe(blocks[1]?.slice(7));
});

it("jobs that are over show their large results too", async () => {
  const content = everyPlane(200_000);
  const source = fileWith("job", content);
  await run(`cat ${source}`);
  const [newest] = (
    JSON.parse((await func("jobs", "list", "--json")).stdout.toString()) as { id: string }[]
  ).map(({ id }) => id);
  const id = newest ?? "";
  const wanted = { minion1: [0, content, ""] };
  const watched = await func("jobs", "follow", id, "--json");
  expect(JSON.parse(watched.stdout.toString())).toEqual(wanted);
  const status = await func("*", "call", "--json", "--jobstatus", id);
  expect(JSON.parse(status.stdout.toString())).toEqual([1, wanted]);
  const people = await func("*", "call", "--jobstatus", id);
  const direct = await func("jobs", "follow", id);
  expect(people.stdout.toString()).toBe(
    `1 JOB_ID_FINISHED: 1 of 1 have answered\n${direct.stdout.toString()}`,
  );
});

it("--raw is the command itself: its outputs, its exit status", async () => {
  const both = await run("printf out; printf err >&2; exit 7", "--raw");
  expect({ ...both, stdout: both.stdout.toString() }).toEqual({
    status: 7,
    stdout: "out",
    stderr: "err",
  });
  expect((await run("kill -9 $$", "--raw")).status).toBe(137);
  const value = await func("minion1", "call", "--raw", "test", "echo", "text");
  expect(value.stdout.toString()).toBe("text");
  const several = await func("*", "call", "--raw", "command", "run", "touch /nonexistent/x");
  expect(several).toMatchObject({ status: 255, stdout: Buffer.alloc(0) });
  expect(several.stderr).toContain("minion1, minion2");
  const failed = await func("minion1", "call", "--raw", "test", "no_such_method");
  expect(failed).toMatchObject({ status: 255, stdout: Buffer.alloc(0) });
});

it("a reader that goes away, a full disk and Ctrl-C end it while it prints", async () => {
  const words = ["minion1", "call", "command", "run", "head -c 30000000 /dev/zero | tr '\\0' x"];
  const gone = start(words);
  gone.stdout?.once("data", () => gone.stdout?.destroy());
  expect(await ended(gone)).toBe(141);

  const full = openSync("/dev/full", "w");
  const onFull = start(words, full);
  const [status, notes] = await Promise.all([
    ended(onFull),
    onFull.stderr ? text(onFull.stderr) : "",
  ]);
  closeSync(full);
  expect(status).toBe(1);
  expect(notes).toContain("func: the output cannot be written");

  const stopped = start(words);
  // nothing more is read: func waits for its reader, and hears the signal nevertheless
  stopped.stdout?.once("data", () => {
    stopped.stdout?.pause();
    stopped.kill("SIGINT");
  });
  stopped.once("exit", () => stopped.stdout?.resume());
  expect(await ended(stopped)).toBe(130);
});

it("outputs lie in files of the owner alone, equal ones once", async () => {
  const folder = join(home, "spool");
  const before = new Set(readdirSync(folder));
  const command = "head -c 70000 /dev/zero | tr '\\0' y";
  await func("*", "call", "command", "run", command);
  await run(command);
  const fresh = readdirSync(folder).filter((name) => !before.has(name));
  expect(fresh).toEqual([`${sha256(Buffer.from("y".repeat(70_000)))}.70000`]);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, fresh[0] ?? "")).mode & 0o777).toBe(0o600);
});
