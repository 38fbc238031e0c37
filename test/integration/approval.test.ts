import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { OverlordConnection } from "../../server/client/connection";
import { CertificateAuthority } from "../../server/pki/authority/certificateAuthority";
import { fingerprintWords } from "../../server/pki/certificates/fingerprintWords";
import { generateKey } from "../../server/pki/certificates/keyFiles";
import { askForCertificate, type AskState } from "../../server/pki/enrolment/ask";
import type { CertmasterList, WaitingRequest } from "../../server/protocol/certmaster";
import { RpcServer } from "../../server/wire/rpcServer";
import { certificateOf, FuncdProcess } from "../fixtures/askingHost";
import { connect, endOverlord, until } from "../fixtures/overlordBundle";
import { buildPrograms, programScript, type ProgramRun } from "../fixtures/programs";

const run = promisify(execFile);
const HOUR_MS = 60 * 60_000;

let programs: string;
let script: string;
let data: string;
let connection: OverlordConnection;
let hosts: FuncdProcess[];

beforeAll(async () => {
  programs = await mkdtemp(join(tmpdir(), "func-programs-"));
  await buildPrograms(programs);
  script = programScript(programs, "overlord");
});
afterAll(() => rm(programs, { recursive: true, force: true }));

beforeEach(async () => {
  hosts = [];
  data = await mkdtemp(join(tmpdir(), "func-approval-"));
});
afterEach(async () => {
  await Promise.all(hosts.map((host) => host.end()));
  connection.dispose();
  await endOverlord(data);
  await rm(data, { recursive: true, force: true });
});

/** An overlord with this certmaster section, which takes requests. Gives the port. */
async function open(certmaster = ""): Promise<number> {
  await writeFile(
    join(data, "overlord.yaml"),
    `certmaster:\n  listen: "127.0.0.1:0"\n${certmaster}`,
  );
  connection = await connect(data, script);
  return reopen();
}

async function reopen(): Promise<number> {
  await connection.request("certmaster/setApproval", { forMs: HOUR_MS });
  const { certmasterListening = "" } = await connection.request("overlord/status", {});
  return Number(certmasterListening.split(":").at(-1));
}

const list = (): Promise<CertmasterList> => connection.request("certmaster/list", {});

function ask(folder: string, name: string, port: number, ...more: string[]): FuncdProcess {
  const home = join(data, "minions", folder);
  const words = ["join", "--ask", `127.0.0.1:${port}`, "--home", home, "--name", name];
  const host = new FuncdProcess(programs, [...words, "--listen", "127.0.0.1:0", ...more]);
  hosts.push(host);
  return host;
}

async function waiting(count: number): Promise<WaitingRequest[]> {
  await until(async () => (await list()).waiting.length === count);
  return (await list()).waiting;
}

async function func(...words: string[]): Promise<ProgramRun> {
  const env = { ...process.env, FUNC_HOME: data };
  try {
    const { stdout, stderr } = await run(process.execPath, [join(programs, "func.js"), ...words], {
      env,
    });
    return { status: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { status: code, stdout, stderr };
  }
}

async function pin(): Promise<string> {
  return (await list()).caFingerprint ?? "";
}

describe("a host that asks without a token", () => {
  it("gets its certificate once an operator approves what both sides show", async () => {
    const port = await open();
    const host = ask("web1", "web1", port);
    await host.says(/\[y\/N\]/);
    expect(host.words("The CA that answers")).toBe((await list()).caWords);
    expect((await list()).waiting).toEqual([]); // nothing was sent before the CA is confirmed
    host.answer("y");
    await host.says(/waits for an operator/);
    const [request] = await waiting(1);
    expect(request).toMatchObject({
      name: "web1",
      from: "127.0.0.1",
      words: host.words("The key of this host"),
    });
    expect(request?.words).toBe(fingerprintWords(request?.keyFingerprint ?? ""));
    expect((await func("ca", "waiting")).stdout).toContain(request?.words);

    const blind = await func("ca", "approve", "web1");
    expect(blind).toMatchObject({ status: 2 });
    expect(blind.stderr).toContain("--fingerprint WORDS");
    const wrong = fingerprintWords("00".repeat(32));
    expect(await func("ca", "approve", "web1", "--fingerprint", wrong)).toMatchObject({
      status: 1,
    });
    const words = host.words("The key of this host");
    expect(await func("ca", "approve", "WEB1", "--fingerprint", words)).toMatchObject({
      status: 0,
    });

    expect(await host.ended).toMatchObject({ status: 0 });
    const certificate = new X509Certificate(
      (await certificateOf(join(data, "minions/web1"))) ?? "",
    );
    expect(certificate.subject).toBe("CN=web1");
    expect((await list()).waiting).toEqual([]);
    expect((await connection.request("minions/list", {})).map(({ name }) => name)).toEqual([
      "web1",
    ]);
    const again = ask("web1", "web1", port);
    expect((await again.ended).stderr).toContain("enrolled already");
    const home = join(data, "minions", "web1");
    const serving = new FuncdProcess(programs, ["--home", home, "--exit-with-stdin"]);
    hosts.push(serving);
    await serving.says(/serves on/);
    expect((await func("web1", "ping")).stdout).toContain("[ ok ... ] web1");
  });

  it("is told that it was denied, and not asked for again", async () => {
    const port = await open();
    const caFingerprint = await pin();
    const host = ask("web1", "web1", port, "--ca-fingerprint", caFingerprint);
    const [request] = await waiting(1);
    expect(host.stdout).not.toContain("[y/N]");
    expect(await func("ca", "deny", "web1")).toMatchObject({ status: 0 });
    const denied = await host.ended;
    expect(denied.status).toBe(1);
    expect(denied.stderr).toContain("denied the request of web1");
    const again = await ask("web1", "web1", port, "--ca-fingerprint", caFingerprint).ended;
    expect(again.stderr).toMatch(/can ask again in (60|59) minutes/);
    expect((await list()).waiting).toEqual([]);
    await expect(
      connection.request("certmaster/approve", {
        name: "web1",
        keyFingerprint: request?.keyFingerprint ?? "",
      }),
    ).rejects.toThrow("No request for web1");
  });

  it("does not displace another host of its name, and replaces it only where that was shown", async () => {
    const port = await open();
    const caFingerprint = ["--ca-fingerprint", await pin()];
    const first = ask("a", "web1", port, ...caFingerprint);
    await waiting(1);
    const second = ask("b", "web1", port, ...caFingerprint);
    const both = await waiting(2);
    expect(both.map(({ name }) => name)).toEqual(["web1", "web1"]);
    const ambiguous = await func("ca", "approve", "web1", "--yes");
    expect(ambiguous.stderr).toContain("waits with 2 keys");
    await first.says(/waits/);
    await second.says(/waits/);
    const [one, two] = [first, second].map((host) => host.words("The key of this host"));
    expect(await func("ca", "approve", "web1", "--fingerprint", one ?? "")).toMatchObject({
      status: 0,
    });
    expect(await first.ended).toMatchObject({ status: 0 });

    const [other] = await waiting(1);
    const live = (await list()).certificates.find(({ name }) => name === "web1");
    expect(other).toMatchObject({ words: two, replaces: live?.keyFingerprint });
    const replaced = await func("ca", "approve", "web1", "--fingerprint", two ?? "");
    expect(replaced.stderr).toContain("revoked");
    expect(await second.ended).toMatchObject({ status: 0 });
    const { certificates } = await list();
    expect(certificates.find(({ serial }) => serial === live?.serial)?.revoked).toBeDefined();
    // a host whose answer got lost asks again, and has two
    const keys = certificates
      .filter(({ name, revoked }) => name === "web1" && revoked === undefined)
      .map(({ keyFingerprint }) => keyFingerprint);
    expect(new Set(keys)).toEqual(new Set([other?.keyFingerprint]));
    // the revoked key is not let in again
    const pki = join(data, "minions", "a", "pki");
    await rm(join(pki, "minion.crt"));
    const back = await ask("a", "web1", port, ...caFingerprint).ended;
    expect(back.stderr).toContain("was revoked");
  });

  it("goes on waiting over a restart of the overlord, and while no requests are taken", async () => {
    const port = await open();
    // the same port after the restart
    await writeFile(join(data, "overlord.yaml"), `certmaster:\n  listen: "127.0.0.1:${port}"\n`);
    const host = ask("web1", "web1", port, "--ca-fingerprint", await pin());
    await waiting(1);
    connection.dispose();
    await endOverlord(data);
    await host.says(/Trying again/);
    connection = await connect(data, script);
    expect((await list()).modes.approvalUntilMs).toBeUndefined();
    await connection.request("certmaster/createToken", {}); // open, but not for requests
    await host.says(/takes no requests/);
    expect((await list()).waiting).toEqual([]);
    await reopen();
    const [request] = await waiting(1);
    // the host fetches its certificate although the door was closed meanwhile
    await connection.request("certmaster/setApproval", { forMs: 0 });
    await connection.request("certmaster/approve", {
      name: "web1",
      keyFingerprint: request?.keyFingerprint ?? "",
    });
    expect(await host.ended).toMatchObject({ status: 0 });
  });

  it("says soon that nobody was asked, and not that it waits, where nothing answers", async () => {
    const port = await open();
    await connection.request("certmaster/setApproval", { forMs: 0 }); // closes it
    const host = ask("web1", "web1", port, "--ca-fingerprint", "0".repeat(64));
    await host.says(/Nothing was asked yet.*refused[^]*func ca approval on/);
    const states: AskState[] = [];
    const asked = askForCertificate({
      at: { host: "127.0.0.1", port },
      name: "web1",
      port: 1,
      privateKeyPem: (await generateKey()).privateKeyPem,
      timeoutMs: 100,
      signal: new AbortController().signal,
      confirmAuthority: async () => undefined,
      onState: (state) => void states.push(state),
    });
    await expect(asked).rejects.toMatchObject({
      reason: "unreachable",
      message: expect.stringContaining("no request of web1 waits anywhere") as string,
    });
    expect(states).toEqual([{ problem: expect.any(String) as string, reached: false }]);
  });

  it("gets its certificate again where the answer was lost and the overlord forgot", async () => {
    const port = await open();
    const caFingerprint = ["--ca-fingerprint", await pin()];
    const home = join(data, "minions", "web1");
    const host = ask("web1", "web1", port, ...caFingerprint);
    const [request] = await waiting(1);
    const { name, keyFingerprint } = request ?? { name: "", keyFingerprint: "" };
    await connection.request("certmaster/approve", { name, keyFingerprint });
    await host.ended;
    await rm(join(home, "pki", "minion.crt"));
    connection.dispose();
    await endOverlord(data);
    connection = await connect(data, script);
    const again = ask("web1", "web1", await reopen(), ...caFingerprint);
    expect(await again.ended).toMatchObject({ status: 0 });
    expect((await list()).waiting).toEqual([]);
    const key = await readFile(join(home, "pki", "minion.key"));
    const certificate = new X509Certificate((await certificateOf(home)) ?? "");
    const { createPrivateKey } = await import("node:crypto");
    expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
  });

  it("stops with Ctrl-C", async () => {
    const port = await open();
    const host = ask("web1", "web1", port, "--ca-fingerprint", await pin());
    await waiting(1);
    host.child.kill("SIGINT");
    const ended = await host.ended;
    expect(ended.status).toBe(1);
    expect(ended.stderr).toContain("does not wait for its certificate any more");
  });
});

describe("a man in the middle with a CA of his own", () => {
  async function proxy(): Promise<{ port: number; words: string; calls: string[] }> {
    const foreign = await CertificateAuthority.create(join(data, "minions", "foreign"), "lab");
    const { privateKeyPem, publicKey } = await generateKey();
    const calls: string[] = [];
    const server = new RpcServer({
      key: privateKeyPem,
      certificate:
        foreign.issueCertmaster("fake", publicKey).certificatePem + foreign.certificatePem,
      ca: foreign.certificatePem,
      clientCertificate: "none",
      handle: async ({ method }) => {
        calls.push(method);
        return { state: "waiting" };
      },
    });
    const { port } = await server.listen(0, "127.0.0.1");
    cleanup = () => server.close();
    return { port, words: fingerprintWords(foreign.fingerprint), calls };
  }
  let cleanup: () => Promise<void>;
  afterEach(() => cleanup());

  it("gets nothing where the CA is pinned", async () => {
    await open();
    const middle = await proxy();
    const host = ask("web1", "web1", middle.port, "--ca-fingerprint", await pin());
    const ended = await host.ended;
    expect(ended.status).toBe(1);
    expect(ended.stderr).toContain("does not have the CA of this fingerprint");
    expect(middle.calls).toEqual([]);
  });

  it("is seen by the words where it is not", async () => {
    await open();
    const middle = await proxy();
    const host = ask("web1", "web1", middle.port);
    await host.says(/\[y\/N\]/);
    expect(host.words("The CA that answers")).toBe(middle.words);
    expect(host.words("The CA that answers")).not.toBe((await list()).caWords);
    host.answer("n");
    const ended = await host.ended;
    expect(ended.stderr).toContain("was not confirmed; nothing was sent");
    expect(middle.calls).toEqual([]);
  });
});

describe("autosign", () => {
  const rules = (networks: string): string =>
    `  autosign:\n    names: ["web*"]\n    networks: ["${networks}"]\n`;

  it("signs names and networks that are allowed, and no other", async () => {
    const port = await open(rules("127.0.0.0/8"));
    const caFingerprint = ["--ca-fingerprint", await pin()];
    expect((await list()).modes.autosign).toEqual({ names: ["web*"], networks: ["127.0.0.0/8"] });
    expect(await ask("web1", "web1", port, ...caFingerprint).ended).toMatchObject({ status: 0 });
    ask("db1", "db1", port, ...caFingerprint);
    expect(await waiting(1)).toMatchObject([{ name: "db1" }]);
    // a live name is never replaced
    ask("impostor", "web1", port, ...caFingerprint);
    const both = await waiting(2);
    expect(both[1]).toMatchObject({ name: "web1" });
    expect(both[1]?.replaces).toBeDefined();
  });

  it("signs nothing from another network, whatever the host announces", async () => {
    const port = await open(rules("10.0.0.0/8"));
    const host = ask(
      "web1",
      "web1",
      port,
      "--ca-fingerprint",
      await pin(),
      "--announce",
      "10.1.1.1",
    );
    expect(await waiting(1)).toMatchObject([{ name: "web1", from: "127.0.0.1" }]);
    await host.says(/waits for an operator/);
  });
});

it("tells clients when what waits is different", async () => {
  const port = await open();
  let told = 0;
  connection.on("certmaster/changed", () => (told += 1));
  ask("web1", "web1", port, "--ca-fingerprint", await pin());
  await until(() => told > 0);
  expect(await waiting(1)).toHaveLength(1);
  const { id } = await connection.request("certmaster/createToken", {});
  expect(await func("ca", "close", id)).toMatchObject({ status: 0 });
  expect((await list()).tokens).toEqual([]);
  expect((await func("ca", "close", id)).stderr).toContain("no open join token");
});
