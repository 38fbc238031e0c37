import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { silentLog } from "../../server/common/log";
import { CertificateAuthority } from "../../server/pki/authority/certificateAuthority";
import { Certmaster } from "../../server/pki/certmaster/certmaster";
import { Triggers } from "../../server/pki/certmaster/triggers";
import type { EnrolledMinion } from "../../server/pki/certmaster/certmasterIssuing";
import { verifyMinionPeer } from "../../server/pki/certificates/identity";
import { generateKey } from "../../server/pki/certificates/keyFiles";
import type { XmlRpcValue } from "../../server/wire/value";
import { WireClient, type WirePeer } from "../../server/wire/wireClient";
import { buildPrograms, programScript } from "../fixtures/programs";

let root: string;
let funcdScript: string;
let authority: CertificateAuthority;
let certmaster: Certmaster;
let enrolled: EnrolledMinion[];
let client: WireClient;
const processes: ChildProcess[] = [];
const clients: WireClient[] = [];
let homes = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "funcd-"));
  // an own bundle: dist/ may be of another state of the sources
  funcdScript = programScript(root, "funcd");
  await buildPrograms(root, ["funcd"]);
  authority = await CertificateAuthority.create(join(root, "ca"), "test");
});

beforeEach(async () => {
  enrolled = [];
  certmaster = new Certmaster({
    authority: () => Promise.resolve(authority),
    existingAuthority: () => authority,
    triggers: new Triggers(join(root, "triggers"), silentLog),
    listen: { host: "127.0.0.1", port: 0 },
    log: silentLog,
    onEnrolled: (minion) => {
      enrolled.push(minion);
      return Promise.resolve();
    },
  });
  client = await clientOf(authority, "overlord");
});

afterEach(async () => {
  for (const one of clients.splice(0)) one.close();
  for (const child of processes.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
  await certmaster.close();
});

afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

async function clientOf(
  issuer: CertificateAuthority,
  role: "minion" | "overlord" | "operator",
): Promise<WireClient> {
  const { privateKeyPem, publicKey } = await generateKey();
  const name = `${role}-${clients.length}-${homes++}`;
  const { certificatePem } = await issuer.issue({ role, name, publicKey });
  const one = new WireClient({
    key: privateKeyPem,
    certificate: certificatePem,
    ca: authority.certificatePem,
    verifyPeer: verifyMinionPeer,
  });
  clients.push(one);
  return one;
}

async function token(address = "127.0.0.1"): Promise<string> {
  return (await certmaster.createToken({ addresses: [address] })).token;
}

/** A home with a configuration and a token, as a provisioning tool leaves it. */
async function provision(name: string, certmasterAddress?: string): Promise<string> {
  const home = join(root, `home${homes++}`);
  await mkdir(home);
  await writeFile(
    join(home, "minion.yaml"),
    `name: ${name}\nlisten: {host: 127.0.0.1, port: 0}\nannounce: 127.0.0.1\n`,
  );
  await writeFile(join(home, "join-token"), await token(certmasterAddress), { mode: 0o600 });
  return home;
}

/** Starts funcd and settles with what it serves, one peer for each home. */
async function serve(
  ...homeFolders: string[]
): Promise<{ child: ChildProcess; peers: WirePeer[] }> {
  const args = homeFolders.flatMap((home) => ["--home", home]);
  const child = spawn(process.execPath, [funcdScript, ...args, "--exit-with-stdin"], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  processes.push(child);
  const peers = await new Promise<WirePeer[]>((resolve, reject) => {
    let output = "";
    let problems = "";
    child.stderr.on("data", (chunk: Buffer) => (problems += chunk.toString()));
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      const found = [...output.matchAll(/^funcd: (\S+) serves on (\S+):(\d+)$/gm)];
      if (found.length < homeFolders.length) return;
      resolve(
        found.map(([, name = "", address = "", port]) => ({ name, address, port: Number(port) })),
      );
    });
    child.once("exit", (code) => {
      reject(new Error(`funcd ended with ${String(code)}: ${problems}`));
    });
  });
  return { child, peers };
}

function only(peers: WirePeer[]): WirePeer {
  const [peer] = peers;
  if (!peer) throw new Error("funcd serves nothing");
  return peer;
}

async function minion(
  name: string,
): Promise<{ home: string; child: ChildProcess; peer: WirePeer }> {
  const home = await provision(name);
  const { child, peers } = await serve(home);
  return { home, child, peer: only(peers) };
}

function call(
  peer: WirePeer,
  method: string,
  params: XmlRpcValue[] = [],
  callId?: string,
): Promise<XmlRpcValue> {
  return client.call(peer, method, params, { timeoutMs: 30_000, callId });
}

async function finished(peer: WirePeer, id: XmlRpcValue): Promise<XmlRpcValue | undefined> {
  const status = await call(peer, "jobs.wait", [id, 20]);
  if (!Array.isArray(status) || status[0] !== 1) throw new Error("the job has not finished");
  return status[1];
}

function funcd(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [funcdScript, ...args], (_error, out, err) => {
      resolve({ code: child.exitCode, out, err });
    });
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function audit(home: string): Promise<string> {
  return readFile(join(home, "audit.log"), "utf8");
}

describe("funcd", () => {
  it("enrols itself with a token and serves its overlord", async () => {
    const { home, peer } = await minion("web1.example");
    expect(enrolled).toMatchObject([
      { name: "web1.example", address: "127.0.0.1", port: peer.port },
    ]);
    expect(await call(peer, "test.ping")).toBe(1);
    expect(client.isNative(peer)).toBe(true);
    expect(await call(peer, "test.add", ["1", "2"])).toBe("12");
    expect(await call(peer, "command.run", ["echo -n hi"])).toEqual([0, "hi", ""]);
    expect(await call(peer, "test.echo", [{ a: [1, null, new Uint8Array([0])] }])).toEqual({
      a: [1, null, new Uint8Array([0])],
    });
    expect(await finished(peer, await call(peer, "async.command.run", ["exit 3"]))).toEqual([
      3,
      "",
      "",
    ]);
    const modes = await Promise.all(
      ["", "pki/minion.key", "audit.log", "jobs"].map(
        async (name) => (await stat(join(home, name))).mode & 0o777,
      ),
    );
    expect(modes).toEqual([0o700, 0o600, 0o600, 0o700]);
    await expect(stat(join(home, "join-token"))).rejects.toThrow("ENOENT");
    expect(await readFile(join(home, "minion.yaml"), "utf8")).toContain(String(peer.port));
  });

  it("waits with its token until the certmaster can be reached", async () => {
    const door = createServer((socket) => {
      const at = certmaster.listening()?.split(":")[1];
      const inner = connect(Number(at), "127.0.0.1");
      socket.on("error", () => inner.destroy());
      inner.on("error", () => socket.destroy());
      socket.pipe(inner).pipe(socket);
    });
    const port = await freePort();
    const home = await provision("early1", `127.0.0.1:${port}`);
    const serving = serve(home);
    const stderr = processes[0]?.stderr;
    if (stderr) await once(stderr, "data"); // the first attempt has failed
    door.listen(port, "127.0.0.1");
    const { peers } = await serving;
    expect(await call(only(peers), "test.ping")).toBe(1);
    door.close();
  });

  it("serves several homes from one process", async () => {
    const { child, peers } = await serve(await provision("a1"), await provision("a2"));
    const answers = await Promise.all(peers.map((peer) => call(peer, "test.ping")));
    expect(answers).toEqual([1, 1]);
    const ended = once(child, "exit");
    child.stdin?.end();
    expect(await ended).toEqual([0, null]);
  });

  it("refuses every client but overlords and operators of its CA, and records it", async () => {
    const { home, peer } = await minion("web2");
    const operator = await clientOf(authority, "operator");
    expect(await operator.call(peer, "test.ping", [], { timeoutMs: 10_000 })).toBe(1);
    const strangers = await CertificateAuthority.create(join(root, `other${homes++}`), "other");
    const nobody = new WireClient({ ca: authority.certificatePem, verifyPeer: verifyMinionPeer });
    clients.push(nobody);
    for (const one of [
      await clientOf(authority, "minion"),
      await clientOf(strangers, "overlord"),
      nobody,
    ]) {
      await expect(one.call(peer, "test.ping", [], { timeoutMs: 10_000 })).rejects.toMatchObject({
        name: "FuncError",
      });
    }
    const outcomes = async (kind: string): Promise<number> =>
      (await audit(home)).split("\n").filter((line) => line.includes(`"outcome":"${kind}`)).length;
    // a refusal is written after the connection is closed
    await expect.poll(() => outcomes("refused")).toBe(3);
    expect(await outcomes("ok")).toBe(1);
  });

  it("is found by another name or key to be another host", async () => {
    const { peer } = await minion("web3");
    await expect(call({ ...peer, name: "web4" }, "test.ping")).rejects.toMatchObject({
      reason: "wrong-identity",
    });
    await expect(
      call({ ...peer, keyFingerprint: "00".repeat(32) }, "test.ping"),
    ).rejects.toMatchObject({ reason: "wrong-identity" });
  });

  it("loses no async command when it is killed, and says what became of the rest", async () => {
    const { home, child, peer } = await minion("web5");
    const gate = join(home, "gate");
    const command = `echo x >>${home}/ran; while [ ! -e ${gate} ]; do sleep 0.05; done; echo end`;
    const running = await call(peer, "async.command.run", [command], "call-1");
    const inside = await call(peer, "async.test.sleep", [600]);
    await expect.poll(() => readFile(`${home}/ran`, "utf8").catch(() => "")).toBe("x\n");
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    const { peers } = await serve(home);
    const again = only(peers);
    expect(again.port).toBe(peer.port);
    expect(await call(again, "jobs.job_status", [running])).toEqual([0, -1]);
    expect(await finished(again, inside)).toMatchObject({
      0: "REMOTE_ERROR",
      2: "lost: funcd restarted while test.sleep ran inside it",
    });
    expect(await call(again, "async.command.run", [command], "call-1")).toBe(running);
    await writeFile(gate, "");
    expect(await finished(again, running)).toEqual([0, "end\n", ""]);
    expect(await readFile(`${home}/ran`, "utf8")).toBe("x\n");
  });

  it("lets a command run on when its caller is gone, and answers a repeat of the call", async () => {
    const { home, child, peer } = await minion("web6");
    const command = `echo x >>${home}/ran; sleep 0.5; cat ${home}/ran`;
    const leaving = new AbortController();
    const first = client.call(peer, "command.run", [command], {
      timeoutMs: 30_000,
      callId: "call-2",
      signal: leaving.signal,
    });
    await expect.poll(() => readFile(`${home}/ran`, "utf8").catch(() => "")).toBe("x\n");
    leaving.abort();
    await expect(first).rejects.toMatchObject({ reason: "cancelled" });
    expect(await call(peer, "command.run", [command], "call-2")).toEqual([0, "x\n", ""]);
    // a funcd that has lost the result does not run it again either
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    const { peers } = await serve(home);
    expect(await call(only(peers), "command.run", [command], "call-2")).toMatchObject({
      0: "REMOTE_ERROR",
      2: expect.stringContaining("not run again") as string,
    });
    expect(await readFile(`${home}/ran`, "utf8")).toBe("x\n");
  });

  it("is the only one in its home, and says who has the port", async () => {
    const { home, peer } = await minion("web7");
    const second = await funcd("--home", home);
    expect(second).toMatchObject({ code: 1, out: "" });
    expect(second.err).toMatch(/in use by another funcd \(process \d+\)/);
    const third = await provision("web8");
    const busy = await funcd("--home", third, "--listen", `127.0.0.1:${peer.port}`);
    expect(busy.code).toBe(1);
    expect(busy.err).toContain(`port ${peer.port} on 127.0.0.1 is in use`);
  });

  it("joins by hand, once", async () => {
    const home = join(root, `home${homes++}`);
    const listen = ["--home", home, "--listen", "127.0.0.1:0"];
    const text = await token();
    const joined = await funcd("join", text, ...listen, "--name", "Hand1");
    expect(joined).toMatchObject({
      code: 0,
      out: expect.stringContaining("hand1 is enrolled") as string,
    });
    expect(enrolled[0]?.name).toBe("hand1");
    const again = await funcd("join", await token(), ...listen);
    expect(again.code).toBe(1);
    expect(again.err).toContain("enrolled already, as hand1");
    const { child, peers } = await serve(home);
    expect(await call(only(peers), "test.ping")).toBe(1);
    const ended = once(child, "exit");
    child.stdin?.end();
    await ended;
    const moved = spawn(process.execPath, [funcdScript, ...listen, "--exit-with-stdin"]);
    processes.push(moved);
    let said = "";
    moved.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const { port } = only(peers);
    await expect
      .poll(() => said)
      .toMatch(new RegExp(`its port was ${port}, .*: func address hand1 HOST:\\d+\n`));
    const wrong = await funcd("join", text, "--home", join(root, `home${homes++}`), "--name", "b");
    expect(wrong.code).toBe(1);
    expect(wrong.err).not.toContain("    at ");
  });

  it("tells about itself, and what is wrong with its start", async () => {
    expect(await funcd("--version")).toMatchObject({ code: 0, out: "funcd 0.0.0-test\n" });
    expect((await funcd("--help")).out).toContain("funcd join TOKEN");
    expect((await funcd("--list-modules")).out).toBe(
      "command\ndelegation\njobs\noverlord\ntest\ntrust\n",
    );
    expect(await funcd("--wrong")).toMatchObject({ code: 2 });
    const lonely = join(root, `home${homes++}`);
    const port = await freePort();
    const start = await funcd("--home", lonely, "--name", "x", "--listen", `127.0.0.1:${port}`);
    expect(start.code).toBe(1);
    expect(start.err).toContain("funcd.js join TOKEN");
    await writeFile(join(lonely, "minion.yaml"), "nam: x\n");
    const typo = await funcd("--home", lonely);
    expect(typo.err).toContain('minion.yaml:1: unknown key "nam"');
  });
});
