import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CertificateAuthority } from "../../server/pki/authority/certificateAuthority";
import type { Role } from "../../server/pki/certificates/identity";
import { generateKey } from "../../server/pki/certificates/keyFiles";
import { openOverlordCredentials } from "../../server/pki/authority/overlordCredentials";

const run = promisify(execFile);

let home: string;
let folder: string;
let authority: CertificateAuthority;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "func-revoke-"));
  folder = join(home, "ca");
  authority = await CertificateAuthority.create(folder, "lab");
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function issue(name: string, role: Role = "minion", days?: number) {
  const { publicKey } = await generateKey();
  return { ...(await authority.issue({ role, name, publicKey, days })), publicKey };
}

async function reopened(): Promise<CertificateAuthority> {
  const again = await CertificateAuthority.open(folder);
  if (!again) throw new Error("no CA");
  return again;
}

/** What openssl prints; rejects where it finds fault. */
async function openssl(...args: string[]): Promise<string> {
  const { stdout, stderr } = await run("openssl", args);
  return stdout + stderr;
}

describe("revoking", () => {
  it("counts from when it returns, over a restart, for the name, the key and the list", async () => {
    const web1 = await issue("web1");
    const web2 = await issue("web2");
    const ann = await issue("web1", "operator");
    expect(authority.revocationNumber).toBe(0);
    const revoked = await authority.revoke({ names: ["WEB1"], reason: "stolen" });
    expect(revoked).toEqual([
      { ...web1.record, revoked: { atMs: expect.any(Number) as number, reason: "stolen" } },
    ]);
    for (const one of [authority, await reopened()]) {
      expect(one.revocationNumber).toBe(1);
      expect(one.list()).toEqual([...revoked, web2.record, ann.record]);
      expect(one.liveMinion("web1")).toBeUndefined();
      expect(one.liveMinion("web2")).toEqual(web2.record);
      expect(one.revocationOf(web1.record.keyFingerprint)?.reason).toBe("stolen");
      expect(one.revocationOf(ann.record.keyFingerprint)).toBeUndefined();
    }
    expect((await stat(join(folder, "revoked.json"))).mode & 0o777).toBe(0o600);
  });

  it("gives no certificate to a revoked key again, under whatever name", async () => {
    const { publicKey } = await issue("web1");
    await authority.revoke({ names: ["web1"], reason: "" });
    await expect(
      authority.issue({ role: "operator", name: "ann", publicKey }),
    ).rejects.toMatchObject({ reason: "denied" });
    // another key may have the name
    await issue("web1");
    expect(authority.liveMinion("web1")).toBeDefined();
  });

  it("revokes by serial number as other tools write it, and whatever else has that key", async () => {
    const first = await issue("web1");
    const { record } = await authority.issue({
      role: "minion",
      name: "web1-again",
      publicKey: first.publicKey,
    });
    const serial = record.serial.toLowerCase().replace(/(..)(?=.)/g, "$1:");
    const revoked = await authority.revoke({ serials: [serial], reason: "" });
    expect(revoked.map(({ name }) => name)).toEqual(["web1", "web1-again"]);
    await expect(authority.revoke({ serials: ["0123"], reason: "" })).rejects.toMatchObject({
      reason: "not-found",
    });
  });

  it("goes on to the next number with each revocation, and stays where nothing is new", async () => {
    for (const name of ["a", "b", "c"]) await issue(name);
    await authority.revoke({ names: ["a"], reason: "" });
    expect(await authority.revoke({ names: ["a"], reason: "" })).toEqual([]);
    expect(authority.revocationNumber).toBe(1);
    await Promise.all(["b", "c"].map((name) => authority.revoke({ names: [name], reason: "" })));
    expect(authority.revocationNumber).toBe(3);
    expect((await reopened()).revocationList().revoked.map(({ name }) => name)).toEqual([
      "a",
      "b",
      "c",
    ]);
  });

  it("revokes what has expired as well: it could be renewed", async () => {
    await issue("old", "minion", 1e-6);
    await issue("old", "minion", 1e-6);
    await issue("old");
    expect(await authority.revoke({ names: ["old"], reason: "" })).toHaveLength(3);
  });

  it("takes what is issued for a name meanwhile, whichever comes first", async () => {
    const { record } = await issue("web1");
    const keys = await Promise.all(Array.from({ length: 8 }, () => generateKey()));
    const other = await reopened(); // another object of the same folder
    const proof = { keyFingerprint: record.keyFingerprint, revocations: 0 };
    const renew = (at: number): Promise<unknown> => {
      const publicKey = keys[at]?.publicKey;
      if (!publicKey) throw new Error("no key");
      const from = at % 2 ? other : authority;
      return from.issue({ role: "minion", name: "web1", publicKey, renewal: proof });
    };
    const before = [renew(0), renew(1), renew(2)];
    const revoking = authority.revoke({ names: ["web1"], reason: "" });
    const after = [renew(4), renew(6)];
    await Promise.all(before);
    expect(await revoking).toHaveLength(4);
    for (const one of after) await expect(one).rejects.toMatchObject({ reason: "denied" });
    expect(authority.liveMinion("web1")).toBeUndefined();
  });

  it("lets no renewal through that began before its name was revoked", async () => {
    const unknown = (await issue("web9")).record; // a key that the name was not known by
    const { publicKey } = await generateKey();
    const proof = {
      keyFingerprint: unknown.keyFingerprint,
      revocations: authority.revocationsOf("minion", "web1"),
    };
    await issue("web1");
    await authority.revoke({ names: ["web1"], reason: "" });
    await expect(
      authority.issue({ role: "minion", name: "web1", publicKey, renewal: proof }),
    ).rejects.toMatchObject({ reason: "denied" });
  });

  it("spares a key that it is told to", async () => {
    const first = await issue("boss", "overlord");
    const second = await issue("boss", "overlord");
    const spare = new Set([second.record.keyFingerprint]);
    const params = { names: ["boss"], role: "overlord", reason: "", spare } as const;
    const revoked = await authority.revoke({ ...params, names: ["boss"] });
    expect(revoked.map(({ serial }) => serial)).toEqual([first.record.serial]);
  });

  it("makes the overlord a new certificate once its own is revoked", async () => {
    const own = join(home, "credentials");
    const first = await openOverlordCredentials(own, authority, "boss");
    expect(await openOverlordCredentials(own, authority, "boss")).toEqual(first);
    await authority.revoke({ names: ["boss"], role: "overlord", reason: "" });
    const second = await openOverlordCredentials(own, authority, "boss");
    expect(second.certificate).not.toBe(first.certificate);
    expect(second.key).not.toBe(first.key);
  });
});

describe("a locked CA", () => {
  it("has its list as it was signed, and revokes nothing before it is unlocked", async () => {
    const bob = { names: ["bob"], role: "operator", reason: "" } as const;
    await issue("ann", "operator");
    await issue("bob", "operator");
    await authority.revoke({ names: ["ann"], role: "operator", reason: "" });
    await authority.lock.setPassphrase("", "a long passphrase");
    const locked = await reopened();
    expect(locked.lock.isLocked).toBe(true);
    expect(locked.revocationList().revoked.map(({ name }) => name)).toEqual(["ann"]);
    await expect(locked.revoke({ ...bob, names: ["bob"] })).rejects.toMatchObject({
      reason: "unavailable",
      nextStep: expect.stringContaining("unlock") as string,
    });
    await locked.lock.unlock("a long passphrase");
    expect(await locked.revoke({ ...bob, names: ["bob"] })).toHaveLength(1);
    expect(locked.revocationList()).toMatchObject({ number: 2, revoked: [{}, {}] });
  });
});

describe("revoked.json", () => {
  const damages: [string, (file: string) => Promise<void>][] = [
    ["empty", (file) => writeFile(file, "")],
    ["cut off", async (file) => writeFile(file, (await readFile(file)).subarray(0, 150))],
    [
      "with one other digit",
      async (file) => {
        const text = await readFile(file, "utf8");
        const at = text.indexOf('"keyFingerprint":"') + 20;
        const other = text[at] === "0" ? "1" : "0";
        await writeFile(file, text.slice(0, at) + other + text.slice(at + 1));
      },
    ],
    ["gone", (file) => rm(file)],
    [
      "a folder",
      async (file) => {
        await rm(file);
        await mkdir(file);
      },
    ],
  ];
  it.each(damages)(
    "that is %s stops the CA, with the file and the remedy",
    async (what, damage) => {
      await issue("web1");
      await authority.revoke({ names: ["web1"], reason: "" });
      const file = join(folder, "revoked.json");
      await damage(file);
      await expect(CertificateAuthority.open(folder)).rejects.toMatchObject({
        reason: "bad-data",
        message: expect.stringContaining(file) as string,
        nextStep: expect.stringContaining("backup") as string,
      });
      // nor is it begun anew while the CA runs
      if (what !== "gone") {
        await issue("web2");
        await expect(authority.revoke({ names: ["web2"], reason: "" })).rejects.toMatchObject({
          reason: "bad-data",
        });
      }
    },
  );
});

describe("the CRL", () => {
  const inHome = (name: string): string => join(home, name);

  async function exportCrl(): Promise<string> {
    await writeFile(inHome("crl.pem"), authority.crl());
    return openssl(
      ...["crl", "-in", inHome("crl.pem"), "-text", "-noout", "-verify"],
      ...["-CAfile", join(folder, "ca.crt")],
    );
  }

  it("is one that OpenSSL reads and verifies, empty and with reasons", async () => {
    const empty = await exportCrl();
    expect(empty).toContain("verify OK");
    expect(empty).toContain("No Revoked Certificates");
    const reasons: Record<string, string> = {
      a1: "Key compromise: laptop stolen",
      a2: "replaced",
      a3: "forgotten",
      a4: "who knows",
    };
    for (const [name, reason] of Object.entries(reasons)) {
      await issue(name);
      await authority.revoke({ names: [name], reason });
    }
    const text = await exportCrl();
    expect(text).toContain("verify OK");
    expect(text).toContain("Version 2");
    expect(text).toMatch(/X509v3 CRL Number: *\n *4\n/);
    expect(text).toContain("X509v3 Authority Key Identifier");
    for (const { serial } of authority.list()) expect(text).toContain(`Serial Number: ${serial}`);
    const codes = [...text.matchAll(/Reason Code: *\n *(.+)/g)].map(([, code]) => code);
    expect(codes).toEqual(["Key Compromise", "Superseded", "Cessation Of Operation"]);
  });

  it("lets OpenSSL refuse the revoked certificate, and no other", async () => {
    for (const name of ["bad", "good"]) {
      await writeFile(inHome(`${name}.crt`), (await issue(name)).certificatePem);
    }
    await authority.revoke({ names: ["bad"], reason: "" });
    await exportCrl();
    const verify = (name: string): Promise<string> =>
      openssl(
        ...["verify", "-crl_check", "-CAfile", join(folder, "ca.crt")],
        ...["-CRLfile", inHome("crl.pem"), inHome(`${name}.crt`)],
      );
    expect(await verify("good")).toContain("OK");
    await expect(verify("bad")).rejects.toMatchObject({
      stderr: expect.stringContaining("certificate revoked") as string,
    });
  });
});
