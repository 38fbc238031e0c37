import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLog } from "../../server/common/log";
import { Audit } from "../../server/minion/audit";
import { CallJournal } from "../../server/minion/callJournal";
import { commandEnvironment } from "../../server/minion/commandEnvironment";
import {
  parseListen,
  readConfiguration,
  writeConfiguration,
} from "../../server/minion/configuration";
import { parseFuncdOptions } from "../../server/minion/funcdOptions";
import { newJobId } from "../../server/minion/jobId";
import {
  EASY_BYTES,
  EASY_JOBS,
  jobsToDrop,
  LEAST_AGE_MS,
  MOST_AGE_MS,
  MOST_JOBS,
} from "../../server/minion/jobRetention";
import { identifyProcess, isAlive, parseStat } from "../../server/common/processIdentity";
import { SyncCalls } from "../../server/minion/syncCalls";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "funcd-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("minion.yaml", () => {
  const file = (): string => join(folder, "minion.yaml");

  it("keeps what is written, and the comments around it", async () => {
    expect(await readConfiguration(file())).toEqual({});
    await writeFile(file(), "# of the web tier\nname: Web1\n");
    expect(await readConfiguration(file())).toEqual({ name: "web1" });
    const next = {
      name: "web1",
      listen: { host: "::", port: 4000 },
      announce: "web1.example",
      subOverlord: { home: "/var/lib/func" },
    };
    await writeConfiguration(file(), next);
    expect(await readConfiguration(file())).toEqual(next);
    expect(await readFile(file(), "utf8")).toContain("# of the web tier");
  });

  it.each([
    ["name: web1\nport: 5\n", ":2: unknown key"],
    ["listen:\n  host: a\n  prt: 5\n", ":3: unknown key"],
    ["listen:\n  port: 70000\n", ':2: "port" has to be a port number'],
    ["listen: 5\n", ':1: "listen" has to be a map'],
    ["\nname: ../../etc\n", ':2: "name" has to be a minion name'],
    ["name: [a\n", "minion.yaml:"],
    ["- a\n", "has to be a map"],
    ["sub_overlord: /var/lib/func\n", ':1: "sub_overlord" has to be a map with home'],
    ["name: a\nsub_overlord: {}\n", ':2: "sub_overlord" has to name its "home"'],
    ["sub_overlord:\n  home: func\n", ':2: "home" has to be the absolute path'],
    ["name: a\nname: b\n", "minion.yaml:2:"],
  ])("refuses %j with the line", async (text, problem) => {
    await writeFile(file(), text);
    await expect(readConfiguration(file())).rejects.toMatchObject({
      reason: "bad-data",
      message: expect.stringContaining(problem) as string,
    });
  });
});

describe("the command line of funcd", () => {
  it("reads addresses", () => {
    expect(parseListen("127.0.0.1:0")).toEqual({ host: "127.0.0.1", port: 0 });
    expect(parseListen("[::1]:7")).toEqual({ host: "::1", port: 7 });
    expect(parseListen("web1")).toEqual({ host: "web1", port: 51234 });
    expect(parseListen(":7")).toEqual({ host: "0.0.0.0", port: 7 });
    for (const wrong of ["", "a:b", "a:99999", "::1"]) expect(() => parseListen(wrong)).toThrow();
  });

  it("knows its options and says what is wrong", () => {
    expect(parseFuncdOptions(["join", "T", "--home", "/a", "--name", "x"], {})).toMatchObject({
      action: "join",
      token: "T",
      homes: ["/a"],
      name: "x",
    });
    expect(parseFuncdOptions([], { FUNCD_HOME: "/h" })).toMatchObject({
      action: "serve",
      homes: ["/h"],
      exitWithStdin: false,
    });
    expect(parseFuncdOptions(["--home", "/a", "--home", "/b"], {}).homes).toEqual(["/a", "/b"]);
    const hex = "ab".repeat(32);
    expect(parseFuncdOptions(["join", "--ask", "boss"], {}).ask).toEqual({
      at: { host: "boss", port: 51_235 },
      timeoutMs: 3_600_000,
    });
    expect(
      parseFuncdOptions(["join", "--ask=[::1]:7", "--ca-fingerprint", hex, "--minutes", "5"], {})
        .ask,
    ).toEqual({ at: { host: "::1", port: 7 }, caFingerprint: hex, timeoutMs: 300_000 });
    for (const wrong of [
      ["serve"],
      ["join"],
      ["join", "T", "--ask", "boss"],
      ["--ask", "boss"],
      ["join", "--ask", ""],
      ["join", "--ask", "boss", "--minutes", "1441"],
      ["join", "--ask", "boss", "--ca-fingerprint", "abcd"],
      ["join", "T", "--ca-fingerprint", hex],
      ["--nonsense"],
      ["--home", "/a", "--home", "/a"],
      ["--home", "/a", "--home", "/b", "--name", "x"],
      ["--home", "/a", "--home", "/b", "--listen", "0.0.0.0:5"],
    ]) {
      expect(() => parseFuncdOptions(wrong, {})).toThrow(
        expect.objectContaining({ reason: "bad-argument" }),
      );
    }
  });
});

describe("the audit log", () => {
  it("is bounded by rotation and loses no line of those that are kept", async () => {
    const file = join(folder, "audit.log");
    const audit = new Audit(file, silentLog, { maxBytes: 400 });
    for (let i = 0; i < 40; i++) {
      await audit.write({ address: "192.0.2.1", method: `m${i}`, outcome: "ok" });
    }
    const sizes = await Promise.all(
      ["", ".1", ".2", ".3", ".4"].map(async (end) => (await stat(file + end)).size),
    );
    expect(Math.max(...sizes)).toBeLessThanOrEqual(400);
    await expect(stat(`${file}.5`)).rejects.toThrow("ENOENT");
    const last = (await readFile(`${file}.1`, "utf8")) + (await readFile(file, "utf8"));
    expect(last).toContain('"m39"');
  });

  it("writes lines that come at once whole and in order", async () => {
    const audit = new Audit(join(folder, "audit.log"), silentLog);
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => audit.write({ address: "a", outcome: String(i) })),
    );
    const lines = (await readFile(join(folder, "audit.log"), "utf8")).trimEnd().split("\n");
    const outcomes = lines.map((line) => (JSON.parse(line) as { outcome: string }).outcome);
    expect(outcomes).toEqual(Array.from({ length: 50 }, (_, i) => String(i)));
  });
});

describe("jobs of the minion", () => {
  it("have ids that never repeat", () => {
    const ids = Array.from({ length: 10_000 }, newJobId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => /^\d{10}\.\d{6}-[0-9a-f]{8}-minion$/.test(id))).toBe(true);
  });

  it("are kept an hour at least, a week at most, and while they run", () => {
    const now = Date.now();
    const job = (id: string, ageMs?: number): { id: string; finishedAtMs?: number } => ({
      id,
      ...(ageMs !== undefined && { finishedAtMs: now - ageMs }),
    });
    expect(jobsToDrop([job("old", MOST_AGE_MS + 1), job("new", 0), job("runs")], now)).toEqual([
      "old",
    ]);
    const young = Array.from({ length: EASY_JOBS + 5 }, (_, i) => job(`y${i}`, LEAST_AGE_MS - i));
    const aged = job("aged", LEAST_AGE_MS + 1);
    expect(jobsToDrop([aged, ...young], now)).toEqual([]);
    expect(jobsToDrop([{ ...aged, acknowledged: true }, ...young], now)).toEqual(["aged"]);
    const kept = young.map((one) => ({ ...one, acknowledged: true }));
    expect(jobsToDrop(kept, now)).toEqual([]);
  });

  it("go oldest first where there is too much, those first that are kept elsewhere", () => {
    const now = Date.now();
    const job = (id: string, minutes: number, gigabytes: number, acknowledged = false) => ({
      id,
      finishedAtMs: now - minutes * 60_000,
      bytes: gigabytes * EASY_BYTES,
      acknowledged,
    });
    const jobs = [
      job("new", 1, 30),
      job("b", 90, 1, true),
      job("a", 99, 1, true),
      job("c", 200, 1),
    ];
    expect(jobsToDrop(jobs, now)).toEqual(["a", "b", "c"]);
    expect(jobsToDrop([job("a", 90, 0.6, true), job("b", 80, 0.6, true)], now)).toEqual(["a"]);
    expect(jobsToDrop([job("a", 90, 2), job("b", 80, 2)], now)).toEqual([]);
    const many = Array.from({ length: MOST_JOBS + 2 }, (_, i) => job(`m${i}`, 10_000 - i / 10, 0));
    expect(jobsToDrop(many, now)).toEqual(["m0", "m1"]);
  });
});

describe("the identity of a process", () => {
  it("is read past any process name, and ends with the process", () => {
    const stat = `42 (a) b (c) S ${Array.from({ length: 18 }, (_, i) => i).join(" ")} 777 9`;
    expect(parseStat("boot", stat)).toEqual({ bootId: "boot", pid: 42, startTime: "777" });
    expect(parseStat("boot", stat.replace(") S", ") Z"))).toBeUndefined();
    expect(parseStat("boot", "")).toBeUndefined();
    const own = identifyProcess(process.pid);
    expect(own && isAlive(own)).toBe(true);
    expect(own && isAlive({ ...own, startTime: "1" })).toBe(false);
    expect(own && isAlive({ ...own, bootId: "other" })).toBe(false);
  });
});

describe("the journal of call ids", () => {
  it("knows what was begun before, whole lines only, and drops what is old", async () => {
    const file = join(folder, "calls");
    const journal = await CallJournal.open(file, silentLog);
    await Promise.all(["k 1", "k 2"].map((key) => journal.record(key)));
    await journal.record("k 3");
    const dayOld = Date.now() - 25 * 60 * 60_000;
    await writeFile(file, `${dayOld}\tk 0\n${await readFile(file, "utf8")}${Date.now()}`);
    const next = await CallJournal.open(file, silentLog);
    expect(["k 0", "k 1", "k 2", "k 3"].map((key) => next.has(key))).toEqual([
      false,
      true,
      true,
      true,
    ]);
  });
});

describe("the environment of commands", () => {
  it("is the host's and its user's, and what is asked for, and nothing that could be secret", () => {
    const secrets = { AWS_SECRET_ACCESS_KEY: "s", SSH_AUTH_SOCK: "/s", GITHUB_TOKEN: "s" };
    const own = { FUNCD_HOME: "/x", NODE_OPTIONS: "-r x", LD_PRELOAD: "x.so", NOTIFY_SOCKET: "/n" };
    const base = { PATH: "/bin", HOME: "/root", LC_ALL: "C", ...own, ...secrets };
    expect(commandEnvironment({ A: "1", HOME: "/h" }, base)).toEqual({
      PATH: "/bin",
      HOME: "/h",
      LC_ALL: "C",
      A: "1",
    });
  });
});

describe("the table of sync calls", () => {
  it("forgets an ended call after ten minutes, and never a running one", async () => {
    let now = 0;
    const calls = new SyncCalls(() => now);
    const start = { owner: "k", callId: "c", method: "m", argumentsDigest: "d" };
    let runs = 0;
    const work = async (): Promise<number> => Promise.resolve(++runs);
    const endless = { ...start, callId: "endless" };
    void calls.run(endless, () => new Promise(() => undefined));
    expect(await calls.run(start, work)).toBe(1);
    expect(await calls.run(start, work)).toBe(1);
    now = 10 * 60_000 + 1;
    expect(await calls.run(start, work)).toBe(2);
    expect(calls.cancel("endless", "k")).toBe(true);
  });

  it("does not run a call again whose result was too much to keep", async () => {
    const calls = new SyncCalls();
    const start = { owner: "k", method: "m", argumentsDigest: "d" };
    const big = async (): Promise<Uint8Array> => Promise.resolve(new Uint8Array(40 * 1024 * 1024));
    await calls.run({ ...start, callId: "1" }, big);
    await calls.run({ ...start, callId: "2" }, big);
    await calls.run({ ...start, callId: "3" }, () => Promise.resolve(0));
    await expect(calls.run({ ...start, callId: "1" }, big)).rejects.toThrow("not run again");
    expect(await calls.run({ ...start, callId: "2" }, big)).toBeInstanceOf(Uint8Array);
  });
});
