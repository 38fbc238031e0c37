import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { OverlordConnection } from "../../server/client/connection";
import { peerOf } from "../../server/calls/minionCaller";
import { createCsr } from "../../server/pki/certificates/csr";
import { generateKey } from "../../server/pki/certificates/keyFiles";
import type { WireClient, WirePeer } from "../../server/wire/wireClient";
import { signOperator, type Operator } from "../fixtures/operator";
import { until } from "../fixtures/overlordBundle";
import { RealFleet } from "../fixtures/realFleet";

/** The promise: so long after a revocation nothing succeeds any more. */
const PROMISED_MS = 5_000;

let fleet: RealFleet;
let connection: OverlordConnection;

beforeAll(async () => {
  fleet = await RealFleet.create();
  connection = await fleet.connection();
  await fleet.add("web1", "web2", "db1", "down1");
}, 60_000);
afterAll(() => fleet.close());

async function peer(name: string): Promise<WirePeer> {
  return peerOf(await fleet.record(name));
}

/** The audit of a minion, oldest first. */
async function audited(name: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(join(fleet.home(name), "audit.log"), "utf8").catch(() => "");
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Calls again and again, as fast as answers come. */
class Caller {
  /** When calls began that succeeded, and when the last of them had its answer. */
  began: number[] = [];
  lastEnd = 0;
  failures: string[] = [];
  #stopped = false;
  readonly #ended: Promise<void>;

  constructor(call: () => Promise<unknown>) {
    this.#ended = this.#run(call);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#ended;
  }

  async #run(call: () => Promise<unknown>): Promise<void> {
    while (!this.#stopped) {
      const begin = Date.now();
      try {
        await call();
        this.began.push(begin);
        this.lastEnd = Date.now();
      } catch (error) {
        this.failures.push(error instanceof Error ? error.message : String(error));
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  }
}

function ping(client: WireClient, to: WirePeer): Promise<unknown> {
  return client.call(to, "test.ping", []);
}

describe("a revoked operator", () => {
  it("is refused by every minion that can be reached, on fresh, held and resumed connections", async () => {
    const ann = await signOperator(connection, "ann", fleet.root);
    const bob = await signOperator(connection, "bob", fleet.root);
    const web1 = await peer("web1");
    const web2 = await peer("web2");
    await fleet.call("test", "ping");
    await fleet.stopMinion("down1");
    const held = ann.client();
    const resuming = ann.client(0);
    const clients = [held, resuming];
    const fresh = (): Promise<unknown> => {
      const client = ann.client(0);
      return ping(client, web2).finally(() => client.close());
    };
    const callers = [
      ...Array.from({ length: 12 }, () => new Caller(() => ping(held, web1))),
      new Caller(() => ping(held, web2)),
      new Caller(() => ping(resuming, web1)),
      new Caller(fresh),
    ];
    const others = bob.client();
    const other = new Caller(() => ping(others, web1));
    // one that is under way when it happens
    const long = held.call(await peer("db1"), "test.sleep", [60], { timeoutMs: 90_000 });
    long.catch(() => undefined);
    await until(() => [...callers, other].every(({ began }) => began.length > 100));

    const start = Date.now();
    const params = { names: ["ann"], role: "operator", reason: "laptop stolen" } as const;
    const result = await connection.request("certmaster/revoke", { ...params, names: ["ann"] });
    const end = Date.now();
    expect(result.revoked).toMatchObject([{ name: "ann", revoked: { reason: "laptop stolen" } }]);
    expect(result).toMatchObject({ told: 3, untold: ["down1"] });
    expect(result.why["down1"]).toContain("refused the connection");
    await expect(long).rejects.toThrow();
    const before = callers.map(({ failures }) => failures.length);
    await until(() => callers.every(({ failures }, at) => failures.length > (before[at] ?? 0) + 5));
    await until(() => (other.began.at(-1) ?? 0) > end);
    for (const caller of [...callers, other]) await caller.stop();
    for (const { began, lastEnd, failures } of callers) {
      expect(began.filter((at) => at > end)).toEqual([]);
      expect(lastEnd - start).toBeLessThan(PROMISED_MS);
      expect(failures.at(-1)).toMatch(/revoked since/);
    }
    expect(other.failures).toEqual([]);
    for (const client of [...clients, others]) client.close();
    const refusals = (await audited("web1")).filter(({ name }) => name === "ann").slice(-1);
    expect(refusals).toMatchObject([{ outcome: expect.stringMatching(/revoked since/) as string }]);
  });

  it("is refused where its client is Python's or OpenSSL's", async () => {
    const eve = await signOperator(connection, "eve", fleet.root);
    const before = pythonCall(eve, await peer("web1"));
    expect(before).toEqual([{ ok: 1 }]);
    expect(await opensslCall(eve, await peer("web1"))).toContain("<int>1</int>");
    await connection.request("certmaster/revoke", { names: ["eve"], role: "operator" });
    expect(pythonCall(eve, await peer("web1"))).toEqual([{ error: expect.any(String) as string }]);
    expect(await opensslCall(eve, await peer("web1"))).not.toContain("HTTP/1.1 200");
  });

  it("is refused by a minion that was down as well, before that serves its next call", async () => {
    await fleet.startMinion("down1");
    const results = await fleet.call("test", "ping", [], "down1");
    expect(results.get("down1")).toMatchObject({ state: "succeeded" });
    const audit = await audited("down1");
    const methods = audit.map(({ method }) => method);
    expect(methods.lastIndexOf("trust.set_revocations")).toBeLessThan(
      methods.lastIndexOf("test.ping"),
    );
    const status = await fleet.call("trust", "status", [], "down1");
    const { revocationNumber } = await connection.request("certmaster/list", {});
    expect(status.get("down1")).toMatchObject({ value: { number: revocationNumber, damage: "" } });
  });
});

describe("a revoked minion", () => {
  it("is not believed any more, also in calls that are under way, while the others go on", async () => {
    await fleet.add("bad1");
    const sleeping = fleet.call("test", "sleep", [60], "bad1");
    await until(async () =>
      (await audited("bad1")).some(({ method }) => method === "trust.set_revocations"),
    );
    const pinging = async (name: string): Promise<void> => {
      const result = (await fleet.call("test", "ping", [], name)).get(name);
      if (result?.state !== "succeeded") throw new Error(JSON.stringify(result));
    };
    const callers = Array.from({ length: 40 }, () => new Caller(() => pinging("bad1")));
    const other = new Caller(() => pinging("web2"));
    await until(() => [...callers, other].every(({ began }) => began.length > 10));
    const start = Date.now();
    const revoking = { names: ["bad1"], reason: "broken into" };
    const { told, untold } = await connection.request("certmaster/revoke", revoking);
    const end = Date.now();
    expect({ told, untold }).toEqual({ told: 4, untold: [] });
    expect((await sleeping).get("bad1")).toMatchObject({ state: "unreachable" });
    await until(() => callers.every(({ failures }) => failures.length > 5));
    await until(() => (other.began.at(-1) ?? 0) > end);
    for (const caller of [...callers, other]) await caller.stop();
    for (const { began, lastEnd, failures } of callers) {
      expect(began.filter((at) => at > end)).toEqual([]);
      expect(lastEnd - start).toBeLessThan(PROMISED_MS);
      expect(failures.at(-1)).toMatch(/"state":"unreachable".*revoked since.*broken into/);
    }
    expect(other.failures).toEqual([]);
  });

  it("is one that was forgotten as well; its name goes to a new key only", async () => {
    await fleet.add("old1");
    await fleet.call("test", "ping", [], "old1");
    const { keyFingerprint } = await fleet.record("old1");
    await connection.request("minions/forget", { names: ["old1"] });
    const { certificates } = await connection.request("certmaster/list", {});
    expect(certificates.find((record) => record.keyFingerprint === keyFingerprint)).toMatchObject({
      revoked: { reason: "forgotten" },
    });
    await fleet.stopMinion("old1");
    const pki = join(fleet.home("old1"), "pki");
    const joinAgain = async (): Promise<void> => {
      const params = { nameGlob: "old1", addresses: ["127.0.0.1"] };
      const { token } = await connection.request("certmaster/createToken", params);
      await writeFile(join(fleet.home("old1"), "join-token"), token);
      await fleet.startMinion("old1");
    };
    await rm(join(pki, "minion.crt"));
    await expect(joinAgain()).rejects.toThrow(/key .*was revoked/);
    await rm(pki, { recursive: true });
    await joinAgain();
    const results = await fleet.call("test", "ping", [], "old1");
    expect(results.get("old1")).toMatchObject({ state: "succeeded" });
    await connection.request("minions/forget", { names: ["old1"] });
    await fleet.stopMinion("old1");
  });
});

describe("the overlord", () => {
  it("revokes its own certificate by going over to another one first", async () => {
    const pem = await readFile(join(fleet.data, "credentials", "overlord.pem"), "utf8");
    const ca = await readFile(join(fleet.data, "ca", "ca.crt"), "utf8");
    await writeFile(join(fleet.root, "stolen.pem"), pem);
    await writeFile(join(fleet.root, "ca.pem"), ca);
    const stolen = join(fleet.root, "stolen.pem");
    const thief = { key: stolen, certificate: stolen, ca: join(fleet.root, "ca.pem") };
    expect(pythonCall({ files: thief }, await peer("web1"))).toEqual([{ ok: 1 }]);
    const { certificates } = await connection.request("certmaster/list", {});
    const own = certificates.find(({ role }) => role === "overlord");
    const result = await connection.request("certmaster/revoke", {
      names: [own?.name ?? ""],
      role: "overlord",
    });
    expect(result).toMatchObject({ revoked: [{ serial: own?.serial }], untold: [] });
    expect(pythonCall({ files: thief }, await peer("web1"))).toEqual([
      { error: expect.any(String) as string },
    ]);
    const results = await fleet.call("test", "ping", [], "web*;db1");
    expect([...results.values()].map(({ state }) => state)).toEqual(Array(3).fill("succeeded"));
  });

  it("brings a minion whose list is damaged a new one, and its call gets through", async () => {
    const zoe = await signOperator(connection, "zoe", fleet.root);
    const file = join(fleet.home("web2"), "pki", "revocations.json");
    await fleet.stopMinion("web2");
    await writeFile(file, "damaged");
    await fleet.startMinion("web2");
    const client = zoe.client(0);
    await expect(ping(client, await peer("web2"))).rejects.toThrow(/damaged/);
    const results = await fleet.call("test", "ping", [], "web2");
    expect(results.get("web2")).toMatchObject({ state: "succeeded" });
    expect(await ping(client, await peer("web2"))).toBe(1);
    client.close();
  });

  it("whose data come from a backup learns from its minions what it has forgotten", async () => {
    const file = join(fleet.data, "ca", "revoked.json");
    const backup = await readFile(file);
    const kim = await signOperator(connection, "kim", fleet.root);
    await connection.request("certmaster/revoke", { names: ["kim"], role: "operator" });
    await fleet.stopOverlord();
    await writeFile(file, backup);
    connection = await fleet.connection();
    const forgotten = await connection.request("certmaster/list", {});
    await fleet.call("test", "ping", [], "web1");
    const known = await connection.request("certmaster/list", {});
    expect(known.revocationNumber).toBe(forgotten.revocationNumber + 2);
    const found = known.certificates.find(({ name }) => name === "kim");
    expect(found?.revoked).toBeDefined();
    expect(pythonCall(kim, await peer("web1"))).toEqual([{ error: expect.any(String) as string }]);
  });

  it("says of minions that run the original funcd that they take no list, and goes on calling them", async () => {
    const key = (await generateKey()).privateKeyPem;
    const csr = createCsr("original1", key);
    const signed = await connection.request("certmaster/sign", { csr });
    const file = (name: string): string => join(fleet.root, `original1.${name}`);
    await writeFile(file("key"), key);
    await writeFile(file("crt"), signed.certificate);
    await writeFile(file("ca"), signed.ca);
    const script = join(process.cwd(), "test/fixtures/python/minion.py");
    const child = spawn("python3", [script, file("crt"), file("key"), file("ca")], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const [port] = (await once(child.stdout, "data")) as [Buffer];
    const address = { address: "127.0.0.1", port: Number(port.toString()) };
    await connection.request("certmaster/sign", { csr, ...address });
    const call = async (): Promise<unknown> =>
      (await fleet.call("test", "ping", [], "original1")).get("original1")?.state;
    expect(await call()).toBe("succeeded");
    await signOperator(connection, "max", fleet.root);
    const revoking = { names: ["max"], role: "operator" } as const;
    const result = await connection.request("certmaster/revoke", { ...revoking, names: ["max"] });
    expect(result.untold).toEqual(["original1"]);
    expect(result.why["original1"]).toContain("original funcd");
    expect(await call()).toBe("succeeded");
    // nor is such a minion believed once it is revoked itself
    await connection.request("certmaster/revoke", { names: ["original1"] });
    expect(await call()).toBe("unreachable");
    child.stdin.end();
    await once(child, "exit");
    await connection.request("minions/forget", { names: ["original1"] });
  });

  it("exports a CRL by which OpenSSL refuses what was revoked, and nothing else", async () => {
    const { pem } = await connection.request("certmaster/crl", {});
    const crl = join(fleet.root, "crl.pem");
    await writeFile(crl, pem);
    const verify = (name: string): string => {
      const ca = join(fleet.data, "ca", "ca.crt");
      const certificate = join(fleet.home(name), "pki", "minion.crt");
      const args = ["verify", "-crl_check", "-CAfile", ca, "-CRLfile", crl, certificate];
      const run = spawnSync("openssl", args, { encoding: "utf8" });
      return run.stdout + run.stderr;
    };
    expect(verify("web1")).toContain("OK");
    expect(verify("bad1")).toContain("certificate revoked");
  });
});

/** What Python's client gets for test.ping. */
function pythonCall({ files }: Pick<Operator, "files">, { port }: WirePeer): unknown {
  const script = join(process.cwd(), "test/fixtures/python/client.py");
  const args = [script, `https://127.0.0.1:${port}/`, files.ca, files.certificate, files.key];
  const run = spawnSync("python3", args, {
    input: JSON.stringify([["test.ping", []]]),
    encoding: "utf8",
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout);
}

/** What openssl s_client prints when it sends test.ping. */
async function opensslCall({ files }: Operator, { port }: WirePeer): Promise<string> {
  const args = ["s_client", "-connect", `127.0.0.1:${port}`, "-CAfile", files.ca, "-quiet"];
  const child = spawn("openssl", [...args, "-cert", files.certificate, "-key", files.key], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.resume();
  child.stdin.on("error", () => undefined); // it may be refused before it has sent all
  const body = "<methodCall><methodName>test.ping</methodName></methodCall>";
  child.stdin.write(
    `POST /RPC2 HTTP/1.1\r\nHost: minion\r\nContent-Type: text/xml\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  await new Promise((resolve) => child.once("close", resolve));
  return output;
}
