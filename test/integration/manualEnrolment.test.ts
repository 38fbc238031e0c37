import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../fixtures/localSshd";
import { endOverlord, until } from "../fixtures/overlordBundle";
import { buildPrograms, runProgram, type ProgramRun } from "../fixtures/programs";

let root: string;
let data: string;
let home: string;
let port: number;
const processes: ChildProcess[] = [];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "fm-"));
  data = join(root, "data");
  home = join(root, "web1");
  mkdirSync(data, { mode: 0o700 });
  await buildPrograms(root);
  port = await freePort();
});

afterAll(async () => {
  for (const child of processes) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }
  await endOverlord(data);
  await rm(root, { recursive: true, force: true });
});

function func(words: string[], input?: string): Promise<ProgramRun> {
  return runProgram(root, "func", ["--home", data, ...words], { input });
}

function funcd(words: string[], input?: string): Promise<ProgramRun> {
  return runProgram(root, "funcd", [...words, "--home", home], { input });
}

function openssl(...words: string[]): string {
  return execFileSync("openssl", words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

describe("a minion that is enrolled by hand", () => {
  it("asks with a key that stays on the host", async () => {
    const asked = await funcd(["csr", "--name", "Web1", "--listen", `127.0.0.1:${port}`]);
    expect(asked).toMatchObject({ status: 0, stderr: "" });
    const file = join(root, "web1.csr");
    writeFileSync(file, asked.stdout);
    expect(openssl("req", "-verify", "-noout", "-subject", "-in", file)).toContain("CN = web1");
    expect(statSync(join(home, "pki", "minion.key")).mode & 0o777).toBe(0o600);
    // again: the same key, whatever else a request holds
    const again = join(root, "again.csr");
    await funcd(["csr", "--out", again]);
    const key = (name: string): string => openssl("req", "-noout", "-pubkey", "-in", name);
    expect(key(again)).toBe(key(file));
  });

  it("takes what func ca sign prints, and serves", async () => {
    const signed = await func([
      ...["ca", "sign", join(root, "web1.csr"), "--address", `127.0.0.1:${port}`, "--days", "9"],
      ...["--out", join(root, "web1.pem")],
    ]);
    expect(signed).toMatchObject({ status: 0, stdout: "" });
    expect(signed.stderr).toContain("Signed for the minion web1");
    const pem = join(root, "web1.pem");
    const days =
      (Date.parse(
        /notAfter=(.*)/.exec(openssl("x509", "-enddate", "-noout", "-in", pem))?.[1] ?? "",
      ) -
        Date.now()) /
      86_400_000;
    expect(Math.round(days)).toBe(9);
    const installed = await funcd(["install-certificate", pem]);
    expect(installed.stdout).toContain("web1 has its certificate");
    const child = spawn(process.execPath, [join(root, "funcd.js"), "--home", home], {
      stdio: ["ignore", "ignore", "ignore"],
    });
    processes.push(child);
    await until(async () => (await funcd(["status"])).stdout.includes("runs, process"));
    await until(async () => (await func(["web1", "ping"])).status === 0);
    expect((await funcd(["status", "--json"])).stdout).toContain(`"listen":"127.0.0.1:${port}"`);
  });

  it("gets nothing that is not for its key, its name or its CA", async () => {
    const other = join(root, "other");
    const asOther = (words: string[], input?: string): Promise<ProgramRun> =>
      runProgram(root, "funcd", [...words, "--home", other], { input });
    const early = await asOther(
      ["install-certificate"],
      readFileSync(join(root, "web1.pem"), "utf8"),
    );
    expect(early.status).toBe(1);
    expect(early.stderr).toContain("has no key yet");
    const asked = await asOther(["csr", "--name", "web2"]);
    const wrong = await asOther(
      ["install-certificate"],
      readFileSync(join(root, "web1.pem"), "utf8"),
    );
    expect(wrong.stderr).toContain("it is for web1");
    const garbage = await asOther(["install-certificate", "-"], "hello");
    expect(garbage.stderr).toContain('not what "func ca sign" prints');
    // the name is taken by another key, and the request says another name than the operator
    expect((await func(["ca", "sign", "-", "--name", "web1"], asked.stdout)).stderr).toContain(
      "is for web2, not for web1",
    );
    const copy = await runProgram(root, "funcd", [
      "csr",
      "--name",
      "web1",
      "--home",
      join(root, "x"),
    ]);
    const taken = await func(["ca", "sign", "-"], copy.stdout);
    expect(taken.status).toBe(1);
    expect(taken.stderr).toContain("There is already a minion web1, with another key");
    const replaced = await func(["ca", "sign", "-", "--replace", "--json"], copy.stdout);
    expect(replaced.status).toBe(0);
    const { stdout } = await func(["ca", "list", "--json"]);
    const { certificates } = JSON.parse(stdout) as {
      certificates: { name: string; revoked?: object }[];
    };
    const revoked = certificates
      .filter(({ name }) => name === "web1")
      .map((one) => one.revoked !== undefined);
    expect(revoked).toEqual([true, false]);
    expect((await funcd(["csr", "--name", "web3"])).stderr).toContain(
      "enrolled as web1, not as web3",
    );
    expect((await funcd(["stop"])).stdout).toContain("has ended");
    expect((await funcd(["status"])).stdout).toContain("does not run");
  });
});

describe("an operator", () => {
  it("gets one file with which any client can call minions", async () => {
    home = join(root, "web4");
    const asked = await funcd(["csr", "--name", "web4", "--listen", `127.0.0.1:${port}`]);
    const words = ["ca", "sign", "-", "--address", `127.0.0.1:${port}`];
    const signed = await func(words, asked.stdout);
    expect((await funcd(["install-certificate"], signed.stdout)).status).toBe(0);
    const child = spawn(process.execPath, [join(root, "funcd.js"), "--home", home], {
      stdio: ["ignore", "ignore", "ignore"],
    });
    processes.push(child);
    await until(async () => (await func(["web4", "ping"])).status === 0);

    const file = join(root, "alice.pem");
    const made = await func(["ca", "operator", "Alice", "--out", file]);
    expect(made).toMatchObject({ status: 0, stdout: `${file}\n` });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const shown = openssl("x509", "-noout", "-text", "-in", file);
    expect(shown).toContain("URI:func:operator:alice");
    expect(shown).toContain("TLS Web Client Authentication");
    expect(await callAdd(file)).toContain("<int>3</int>");
    expect((await func(["ca", "operator", "alice", "--out", file])).stderr).toContain(
      "exists already",
    );
    const second = await func(["ca", "operator", "alice", "--out", join(root, "alice2.pem")]);
    expect(second.stderr).toContain("There is already an operator alice");
  });
});

/** 1 + 2, as Node's own HTTPS client asks for it. */
async function callAdd(file: string): Promise<string> {
  const pem = readFileSync(file, "utf8");
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  const [cert, ca] = blocks;
  const body =
    '<?xml version="1.0"?><methodCall><methodName>test.add</methodName><params>' +
    "<param><value><int>1</int></value></param><param><value><int>2</int></value></param></params></methodCall>";
  const outgoing = request({
    host: "127.0.0.1",
    port,
    servername: "web4",
    method: "POST",
    path: "/",
    key: pem,
    cert,
    ca,
    headers: { "content-type": "text/xml", "content-length": body.length },
  });
  const response = once(outgoing, "response") as Promise<[NodeJS.ReadableStream]>;
  outgoing.end(body);
  const [incoming] = await response;
  return text(incoming);
}
