import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { fingerprintWords } from "../../server/pki/certificates/fingerprintWords";
import { createCsr } from "../../server/pki/certificates/csr";
import { generateKey } from "../../server/pki/certificates/keyFiles";
import { openssl, OriginalAuthority, type PemPair } from "../fixtures/originalAuthority";
import { connect, endOverlord } from "../fixtures/overlordBundle";
import { buildPrograms, runProgram, type ProgramRun } from "../fixtures/programs";
import { RealFleet } from "../fixtures/realFleet";

const MINION = join(process.cwd(), "test/fixtures/python/minion.py");

let root: string;
let data: string;
let original: OriginalAuthority;
const folders: string[] = [];
const minions: ChildProcess[] = [];

/** Another data directory. */
function dataFolder(name: string): string {
  const folder = join(root, name);
  mkdirSync(folder, { mode: 0o700 });
  writeFileSync(join(folder, "overlord.yaml"), 'certmaster: { listen: "127.0.0.1:0" }\n');
  folders.push(folder);
  return folder;
}

const func = (words: string[], input?: string, home = data): Promise<ProgramRun> =>
  runProgram(root, "func", ["--home", home, ...words], { input });

const importing = ({ certificate, key }: PemPair): string[] => [
  ...["ca", "import", "--certificate", certificate, "--key", key],
];

/** Python's server, with what the original has; gives its port. */
async function serve({ certificate, key }: PemPair): Promise<number> {
  const server = spawn("python3", [MINION, certificate, key, original.certificate], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  minions.push(server);
  const [port] = (await once(createInterface(server.stdout), "line")) as [string];
  return Number(port);
}

async function stopMinions(): Promise<void> {
  for (const server of minions.splice(0)) {
    const gone = once(server, "exit");
    server.stdin?.end();
    await gone;
  }
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "func-import-"));
  await buildPrograms(root);
  original = new OriginalAuthority(join(root, "original"));
  data = dataFolder("data");
}, 60_000);

afterEach(stopMinions);

afterAll(async () => {
  for (const folder of folders) await endOverlord(folder);
  await rm(root, { recursive: true, force: true });
});

describe("what is no CA that can be used", () => {
  let empty: string;
  beforeAll(() => {
    empty = dataFolder("empty");
  });

  async function refused(pair: PemPair, message: string | RegExp): Promise<void> {
    const run = await func(importing(pair), undefined, empty);
    expect(run).toMatchObject({ stdout: "", stderr: expect.stringMatching(message) as string });
    expect(run.status).not.toBe(0);
    expect(existsSync(join(empty, "ca"))).toBe(false);
    expect(existsSync(join(empty, "ca.importing"))).toBe(false);
  }

  it("is refused, each with its reason", async () => {
    const { certificate, key } = original;
    const host = original.sign("web9");
    const garbage = join(root, "garbage");
    writeFileSync(garbage, "no PEM", { mode: 0o600 });
    await refused(host, /is not one of a CA: it lacks CA:TRUE/);
    await refused({ certificate, key: host.key }, /does not belong to the certificate/);
    await refused({ certificate: garbage, key }, /garbage holds no certificate in PEM/);
    await refused({ certificate, key: garbage }, /garbage cannot be used/);
    await refused({ certificate: join(root, "nowhere"), key }, /There is no .*nowhere/);
    const weak = new OriginalAuthority(join(root, "weak"), { bits: 1024 });
    await refused(weak, /RSA key has 1024 bits, and current TLS refuses less than 2048/);
    await refused(original.expired(), /expired on .*: nobody trusts it any more/);
    const usage = "basicConstraints = CA:TRUE\nkeyUsage = digitalSignature\n";
    const useless = new OriginalAuthority(join(root, "useless"), { extensions: usage });
    await refused(useless, /its key usage does not let it sign/);
    const open = join(root, "open.key");
    writeFileSync(open, readFileSync(key), { mode: 0o644 });
    await refused({ certificate, key: open }, /open to other users \(mode 0644\)/);
  });

  it("is anything, where there is a CA or a minion already", async () => {
    const other = dataFolder("other");
    expect((await func(["ca", "token"], undefined, other)).status).toBe(0);
    const before = readFileSync(join(other, "ca", "ca.crt"), "utf8");
    const again = await func(importing(original), undefined, other);
    expect(again.status).toBe(1);
    expect(again.stderr).toMatch(/There is a CA in .* already: it is never replaced/);
    expect(readFileSync(join(other, "ca", "ca.crt"), "utf8")).toBe(before);
  });
});

describe("a CA whose key is encrypted", () => {
  it("asks for the passphrase, and stays encrypted", async () => {
    const home = dataFolder("encrypted");
    const key = join(root, "encrypted.key");
    openssl("rsa", "-aes256", "-in", original.key, "-out", key, "-passout", "pass:old secret");
    const pair = { certificate: original.certificate, key };
    const unasked = await func(importing(pair), undefined, home);
    expect(unasked.stderr).toContain("say --stdin");
    const wrong = await func([...importing(pair), "--stdin"], "another\n", home);
    expect(wrong.stderr).toContain("The passphrase is wrong");
    const right = await func([...importing(pair), "--stdin"], "old secret\n", home);
    expect(right.status, right.stderr).toBe(0);
    const kept = readFileSync(join(home, "ca", "ca.key"), "utf8");
    expect(kept).toContain("BEGIN ENCRYPTED PRIVATE KEY");
    expect((await func(["ca", "crl"], undefined, home)).status).toBe(0); // it is unlocked
    await endOverlord(home);
    expect((await func(["ca", "list"], undefined, home)).stdout).toContain("CA is locked");
    expect((await func(["ca", "unlock", "--stdin"], "old secret\n", home)).status).toBe(0);
  });
});

describe("the original's CA", () => {
  const caFile = (name: string): string => join(data, "ca", name);

  it("becomes this overlord's", async () => {
    const run = await func(importing(original));
    expect(run.status, run.stderr).toBe(0);
    const fingerprint = openssl("x509", "-in", original.certificate, "-outform", "PEM");
    expect(readFileSync(caFile("ca.crt"), "utf8").replace(/\s/g, "")).toBe(
      fingerprint.replace(/\s/g, ""),
    );
    expect(statSync(caFile("ca.key")).mode & 0o777).toBe(0o600);
    expect(statSync(join(data, "ca")).mode & 0o777).toBe(0o700);
    const shown = await func(["audit", "show"]);
    expect(shown.stdout).toContain("certmaster/importAuthority");
    expect(shown.stdout + readFileSync(join(data, "overlord.log"), "utf8")).not.toContain(
      "PRIVATE",
    );
    await endOverlord(data); // and still is after a restart
    expect((await func(["ca", "list"])).stdout).toContain("CA valid until");
  });

  it("signs and revokes as OpenSSL wants it", async () => {
    const { privateKeyPem } = await generateKey();
    const csr = join(root, "native.csr");
    const out = join(root, "native.crt");
    writeFileSync(csr, createCsr("native1", privateKeyPem));
    const signed = await func(["ca", "sign", csr, "--out", out]);
    expect(signed.status, signed.stderr).toBe(0);
    const verify = ["verify", "-CAfile", original.certificate];
    expect(openssl(...verify, "-purpose", "sslserver", out)).toContain(": OK");
    const crl = join(root, "native.crl");
    expect((await func(["ca", "revoke", "native1", "--yes"])).status).toBe(0);
    await func(["ca", "crl", "--out", crl]);
    expect(openssl("crl", "-in", crl, "-CAfile", original.certificate, "-noout")).toBe("");
    expect(() => openssl(...verify, "-crl_check", "-CRLfile", crl, out)).toThrow(/revoked/);
  });

  it("lets a host in that has a common name only, and is pinned", async () => {
    const pair = original.sign("Web1.Example");
    const port = await serve(pair);
    const accept = ["ca", "accept", "web1.example", `127.0.0.1:${port}`];
    const unasked = await func(accept);
    expect(unasked.status).toBe(2);
    expect(unasked.stderr).toContain(fingerprintWords(pair.fingerprint()));
    const wrong = await func([...accept, "--fingerprint", "0".repeat(64)]);
    expect(wrong).toMatchObject({ status: 1, stdout: "" });
    expect((await func(["*", "list_minions"])).stdout).not.toContain("web1");
    const accepted = await func([...accept, "--fingerprint", pair.fingerprint()]);
    expect(accepted.status, accepted.stderr).toBe(0);
    // the rule names the overlord's own certificate, with OpenSSL's hash as a decimal number
    const own = join(data, "credentials", "overlord.pem");
    const hash = parseInt(openssl("x509", "-in", own, "-noout", "-subject_hash"), 16);
    expect(accepted.stdout.trim()).toMatch(new RegExp(`^[^ ]+-${hash} = \\*$`));
    expect(accepted.stderr).toContain("proves nothing");
    const ping = await func(["--json", "--typed", "*", "call", "test", "add", "1", "2"]);
    expect(JSON.parse(ping.stdout)).toEqual({ "web1.example": 3 });
    expect((await func(["ca", "list"])).stdout).toMatch(
      /web1\.example +minion \(common name only\)/,
    );
    const renew = await func(["ca", "renew", "web1.example"]);
    expect(renew.stdout + renew.stderr).toContain("these are not renewed");
    await endOverlord(data);
    expect((await func(["web1.example", "ping"])).status).toBe(0); // from the inventory's file
  });

  it("is told who has another key, another name, another CA or an old certificate", async () => {
    const refuses = async (name: string, port: number, message: RegExp): Promise<void> => {
      const run = await func(["ca", "accept", name, `127.0.0.1:${port}`, "--yes"]);
      expect(run).toMatchObject({ status: 1, stdout: "" });
      expect(run.stderr).toMatch(message);
    };
    await refuses("web3", await serve(original.sign("web2")), /has a certificate for web2/);
    await refuses("web3", await serve(original.signExpired("web3")), /certificate has expired/);
    const otherCa = new OriginalAuthority(join(root, "otherCa"));
    await refuses("web3", await serve(otherCa.sign("web3")), /another CA/);
    expect((await func(["ca", "list"])).stdout).not.toContain("web3");
    // the CA's own certificate, which the original's overlord shows
    await refuses("certmaster-ca-key", await serve(original), /just a host's common name/);
  });

  it("finds another key at the address, and revokes by name", async () => {
    const pair = original.sign("db1");
    const accept = async (port: number) =>
      func(["ca", "accept", "db1", `127.0.0.1:${port}`, "--yes"]);
    expect((await accept(await serve(pair))).status).toBe(0);
    expect((await func(["db1", "ping"])).status).toBe(0);
    await stopMinions();
    const impostor = await serve(original.sign("db1"));
    const moved = await func(["ca", "accept", "db1", `127.0.0.1:${impostor}`, "--yes"]);
    expect(moved.stderr).toContain("There is already a minion db1, with another key");
    const connection = await connect(data, join(root, "overlord.js"));
    await connection.request("minions/edit", { name: "db1", port: impostor });
    connection.dispose();
    const called = await func(["db1", "ping"]);
    expect(called.status).toBe(1);
    expect(called.stdout + called.stderr).toContain(
      "has another key than the one it enrolled with",
    );
    await stopMinions();
    // the right one again, until it is revoked
    const again = await serve(pair);
    expect((await accept(again)).status).toBe(0);
    expect((await func(["db1", "ping"])).status).toBe(0);
    const revoked = await func(["ca", "revoke", "db1", "--yes"]);
    expect(revoked.status, revoked.stderr).toBe(0);
    const refused = await func(["db1", "ping"]);
    expect(refused.status).toBe(1);
    expect(refused.stdout + refused.stderr).toContain("its certificate is revoked since");
    expect((await accept(again)).stderr).toContain("revoked");
    const crl = join(root, "db1.crl");
    await func(["ca", "crl", "--out", crl]);
    const verify = ["verify", "-crl_check", "-CAfile", original.certificate, "-CRLfile", crl];
    expect(() => openssl(...verify, pair.certificate)).toThrow(/revoked/);
  });

  it("explains a certificate that current TLS refuses, and signs the host's old request anew", async () => {
    const { certificate, key } = original.sign("old1", { hash: "sha1" });
    const server = spawn(
      "openssl",
      [
        ...["s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key", key],
        ...["-cipher", "ALL:@SECLEVEL=0"],
      ],
      { stdio: ["pipe", "pipe", "ignore"] },
    );
    const gone = once(server, "exit");
    try {
      let port: string | undefined;
      for await (const line of createInterface(server.stdout)) {
        port = /^ACCEPT 127\.0\.0\.1:(\d+)$/.exec(line)?.[1];
        if (port !== undefined) break;
      }
      const run = await func(["ca", "accept", "old1", `127.0.0.1:${port ?? ""}`, "--yes"]);
      expect(run).toMatchObject({ status: 1, stdout: "" });
      expect(run.stderr).toContain("signed with SHA-1 or MD5");
      expect(run.stderr).toContain("func ca sign");
    } finally {
      server.kill("SIGKILL");
      await gone;
    }
    const out = join(root, "old1.pem");
    const csr = certificate.replace(/cert$/, "csr");
    const sign = ["ca", "sign", csr, "--out", out, "--address"];
    expect((await func([...sign, "127.0.0.1"])).status).toBe(0);
    const place = `127.0.0.1:${await serve({ certificate: out, key })}`;
    expect((await func([...sign, place])).status).toBe(0); // the same key: signed again
    expect((await func(["old1", "ping"])).status).toBe(0);
  });

  it("is not imported where there are minions of another", async () => {
    const home = dataFolder("orphaned");
    copyFileSync(join(data, "inventory.json"), join(home, "inventory.json"));
    const run = await func(importing(original), undefined, home);
    expect(run.status).toBe(1);
    expect(run.stderr).toMatch(/\d+ minions have certificates/);
    expect(existsSync(join(home, "ca"))).toBe(false);
  });
});

it("an imported CA enrols, renews and revokes minions of this version", async () => {
  const fleet = await RealFleet.create();
  try {
    const connection = await fleet.connection();
    const { certificate: certificateFile, key: keyFile } = original;
    await connection.request("certmaster/importAuthority", { certificateFile, keyFile });
    await fleet.add("web1", "web2");
    const [before] = await connection.request("minions/list", {});
    const renewed = await connection.request("certmaster/renew", { spec: "*" });
    expect(renewed).toMatchObject({ renewed: [{}, {}], failed: [] });
    expect((await fleet.call("test", "ping")).get("web1")).toMatchObject({ state: "succeeded" });
    const [after] = await connection.request("minions/list", {});
    expect(after?.keyFingerprint).not.toBe(before?.keyFingerprint);
    const revoked = await connection.request("certmaster/revoke", { names: ["web2"] });
    expect(revoked).toMatchObject({ told: 1, untold: [] });
    const called = await fleet.call("test", "ping");
    expect(called.get("web1")).toMatchObject({ state: "succeeded" });
    expect(called.get("web2")).toMatchObject({ state: "unreachable" });
  } finally {
    await fleet.close();
  }
}, 60_000);
