import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectOverlord, type OverlordConnection } from "../../server/client/connection";
import { startLocalFleet, type LocalFleet } from "../../server/client/localFleet";
import { stopOverlord } from "../../server/client/stopOverlord";
import { enroll } from "../../server/pki/enrolment/enroll";
import { generateKey } from "../../server/pki/certificates/keyFiles";

const root = process.cwd();
const python = join(root, "test/fixtures/python");

type Answer = { ok: unknown } | { fault: [number, string] } | { error: string };

let home: string;
let connection: OverlordConnection;
let fleet: LocalFleet;
let minionUrl: string;
const files: Record<"ca" | "overlordCert" | "overlordKey" | "minionCert" | "minionKey", string> = {
  ca: "",
  overlordCert: "",
  overlordKey: "",
  minionCert: "",
  minionKey: "",
};

const target = () => ({
  dataDirectory: home,
  kind: "library" as const,
  version: "0",
  launch: { execPath: process.execPath, script: join(root, "dist/overlord.js") },
});

/** Runs the Python client with a list of calls. */
function callFromPython(
  calls: [string, unknown[]][],
  ca: string,
  credentials: [string, string] | [] = [],
): Answer[] {
  const run = spawnSync("python3", [join(python, "client.py"), minionUrl, ca, ...credentials], {
    input: JSON.stringify(calls),
    encoding: "utf8",
    timeout: 30_000,
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as Answer[];
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "func-py-"));
  writeFileSync(join(home, "overlord.yaml"), "certmaster:\n  listen: 127.0.0.1:0\n");
  connection = await connectOverlord(target());
  fleet = await startLocalFleet({
    connection,
    size: 1,
    home,
    funcdScript: join(root, "dist/funcd.js"),
    execPath: process.execPath,
  });
  const [minion] = await connection.request("minions/list", {});
  if (!minion) throw new Error("the fleet has no minion");
  minionUrl = `https://${minion.address}:${minion.port}/RPC2`;
  files.ca = join(home, "ca", "ca.crt");
  files.overlordCert = join(home, "credentials", "overlord.pem");
  files.overlordKey = join(home, "credentials", "overlord.pem");
  files.minionCert = join(home, "minions", minion.name, "pki", "minion.crt");
  files.minionKey = join(home, "minions", minion.name, "pki", "minion.key");
});

afterAll(async () => {
  await fleet.close();
  connection.dispose();
  await stopOverlord(target(), true);
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
});

describe("Python's xmlrpc.client calls our funcd", () => {
  it("gets what the original would answer", () => {
    const answers = callFromPython(
      [
        ["test.ping", []],
        ["command.run", ["echo out; echo err >&2; exit 3"]],
        ["command.run", ["printf 'caf\\303\\251'"]],
        ["command.run", ["printf '\\001\\377'"]],
        ["test.echo", [null]],
        ["test.echo", [{ binary: "00ff10" }]],
        ["test.echo", [{ a: [1, 2.5, true, "<&>"] }]],
        ["nosuch.method", []],
        ["test.nosuch", []],
        ["test.constructor", []],
        ["test.explode", []],
        ["jobs.job_status", ["123.45-minion"]],
      ],
      files.ca,
      [files.overlordCert, files.overlordKey],
    );
    expect(answers[0]).toEqual({ ok: 1 });
    expect(answers[1]).toEqual({ ok: [3, "out\n", "err\n"] });
    expect(answers[2]).toEqual({ ok: [0, "café", ""] });
    expect(answers[3]).toEqual({ ok: [0, { binary: "01ff" }, ""] });
    expect(answers[4]).toEqual({ ok: null });
    expect(answers[5]).toEqual({ ok: { binary: "00ff10" } });
    expect(answers[6]).toEqual({ ok: { a: [1, 2.5, true, "<&>"] } });
    expect(remoteErrorType(answers[7])).toBe("func.minion.codes.ModuleNotFoundException");
    expect(remoteErrorType(answers[8])).toBe("func.minion.codes.InvalidMethodException");
    expect(remoteErrorType(answers[9])).toBe("func.minion.codes.InvalidMethodException");
    expect(remoteErrorType(answers[10])).toMatch(/^exceptions\./);
    expect(answers[11]).toEqual({ ok: [2, 0] });
  });

  it("reads large answers and sends large arguments of every framing size", () => {
    const sizes = [1, 1_400, 8_000, 8_192, 9_000, 16_384, 20_000, 300_000];
    const answers = callFromPython(
      sizes.map((size) => ["test.echo", ["x".repeat(size)]]),
      files.ca,
      [files.overlordCert, files.overlordKey],
    );
    expect(answers.map((answer) => "ok" in answer && String(answer.ok).length)).toEqual(sizes);
  });

  it("starts a job with the async prefix and polls it to its end", async () => {
    const credentials: [string, string] = [files.overlordCert, files.overlordKey];
    const [start] = callFromPython([["async.command.run", ["echo done"]]], files.ca, credentials);
    if (!start || !("ok" in start)) throw new Error(JSON.stringify(start));
    expect(start.ok).toMatch(/-minion$/);
    for (let attempt = 0; attempt < 50; attempt++) {
      const [status] = callFromPython([["jobs.job_status", [start.ok]]], files.ca, credentials);
      if (!status || !("ok" in status)) throw new Error(JSON.stringify(status));
      const [code, result] = status.ok as [number, unknown];
      if (code === 1) {
        expect(result).toEqual([0, "done\n", ""]);
        return;
      }
      expect(status.ok).toEqual([0, -1]);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error("the job never finished");
  });

  it("gets nothing without a certificate", () => {
    expectNothing(callFromPython([["test.ping", []]], files.ca));
  });

  it("gets nothing with a minion's certificate", () => {
    expectNothing(
      callFromPython([["test.ping", []]], files.ca, [files.minionCert, files.minionKey]),
    );
  });

  it("gets nothing with another authority's certificate, also with the right subject and SAN", () => {
    const folder = mkdtempSync(join(tmpdir(), "func-ca-"));
    try {
      const certificate = join(folder, "c.crt");
      const key = join(folder, "c.key");
      const made = spawnSync("openssl", [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
        ...["-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=overlord"],
        ...["-addext", "subjectAltName=URI:func:overlord:overlord"],
        ...["-addext", "extendedKeyUsage=clientAuth"],
      ]);
      expect(made.status).toBe(0);
      expectNothing(callFromPython([["test.ping", []]], files.ca, [certificate, key]));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe("our overlord calls a minion that is Python's SimpleXMLRPCServer", () => {
  let server: ChildProcess;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "func-pym-"));
    const { privateKeyPem } = await generateKey();
    // The port is known only once Python listens, and Python needs the certificate before: so it is edited after.
    const { token } = await connection.request("certmaster/createToken", {
      addresses: ["127.0.0.1"],
    });
    const signal = AbortSignal.timeout(20_000);
    const enrolled = await enroll({
      ...{ token, name: "python1", port: 1, address: "127.0.0.1" },
      ...{ privateKeyPem, timeoutMs: 20_000, signal },
    });
    writeFileSync(join(folder, "key"), privateKeyPem, { mode: 0o600 });
    writeFileSync(join(folder, "crt"), enrolled.certificatePem);
    writeFileSync(join(folder, "ca"), enrolled.caPem);
    server = spawn(
      "python3",
      [join(python, "minion.py"), ...["crt", "key", "ca"].map((file) => join(folder, file))],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    if (!server.stdout) throw new Error("no standard output");
    const [port] = (await once(createInterface(server.stdout), "line")) as [string];
    await connection.request("minions/edit", { name: "python1", port: Number(port) });
  });

  afterAll(async () => {
    const gone = once(server, "exit");
    server.stdin?.end();
    await gone;
    rmSync(folder, { recursive: true, force: true });
  });

  const func = (...args: string[]) =>
    spawnSync(process.execPath, [join(root, "dist/func.js"), "--home", home, ...args], {
      encoding: "utf8",
      timeout: 30_000,
    });

  it("gets values, errors, large answers and async results", () => {
    const add = func("python1", "--json", "--typed", "call", "test", "add", "1", "2");
    expect(JSON.parse(add.stdout)).toEqual({ python1: 3 });
    const big = func("python1", "--json", "call", "test", "big", "300000");
    expect((JSON.parse(big.stdout) as { python1: string }).python1).toHaveLength(300_000);
    const explode = func("python1", "--json", "call", "test", "explode");
    expect(explode.status).toBe(1);
    expect(JSON.parse(explode.stdout)).toEqual({
      python1: ["REMOTE_ERROR", "exceptions.ValueError", "on purpose", "Traceback"],
    });
    const unknown = func("python1", "--json", "call", "no", "such");
    expect(unknown.status).toBe(1);
    expect(JSON.stringify(JSON.parse(unknown.stdout))).toContain("REMOTE_ERROR");
    const slow = func("python1", "--json", "call", "--async", "test", "sleep", "0.5");
    expect(JSON.parse(slow.stdout)).toEqual({ python1: 0.5 });
  });
});

function remoteErrorType(answer: Answer | undefined): unknown {
  if (!answer || !("ok" in answer) || !Array.isArray(answer.ok)) return answer;
  expect(answer.ok).toHaveLength(4);
  expect(answer.ok[0]).toBe("REMOTE_ERROR");
  return answer.ok[1];
}

function expectNothing(answers: Answer[]): void {
  expect(answers).toHaveLength(1);
  expect(answers[0]).toHaveProperty("error");
}

// The authority's file is what Python verifies against: it must be there before any of this means something.
it("has its authority on disk", () => {
  expect(readFileSync(files.ca, "utf8")).toContain("BEGIN CERTIFICATE");
});
