import { execFile } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CertificateAuthority } from "../../server/pki/authority/certificateAuthority";
import { generateKey } from "../../server/pki/certificates/keyFiles";
import { openOverlordCredentials } from "../../server/pki/authority/overlordCredentials";

const PASSPHRASE = "corrèct horse";

let folder: string;
let authority: CertificateAuthority;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "func-lock-"));
  authority = await CertificateAuthority.create(folder, "lab");
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true, force: true });
});

async function reopened(): Promise<CertificateAuthority> {
  const opened = await CertificateAuthority.open(folder);
  if (!opened) throw new Error("no CA");
  return opened;
}

async function issue(from: CertificateAuthority, name = "web1") {
  return from.issue({ role: "minion", name, publicKey: (await generateKey()).publicKey });
}

function openssl(stdin: string, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile("openssl", args, (error, stdout) => {
      if (error) reject(new Error(error.message));
      else resolve(stdout);
    });
    child.stdin?.end(`${stdin}\n`);
  });
}

describe("a CA with a passphrase", () => {
  it("signs at once, and after a restart only with the passphrase", async () => {
    await authority.lock.setPassphrase("", PASSPHRASE);
    await issue(authority);
    const again = await reopened();
    expect(again.lock).toMatchObject({ isEncrypted: true, isLocked: true });
    for (const sign of [
      () => issue(again, "web2"),
      () => again.revoke({ names: ["web1"], role: "minion", reason: "" }),
      async () => again.crl(),
    ]) {
      await expect(sign()).rejects.toMatchObject({
        reason: "unavailable",
        message: expect.stringContaining("locked") as string,
        nextStep: expect.stringContaining("func ca unlock") as string,
      });
    }
    expect(again.revocationNumber).toBe(0);
    expect(again.list()).toHaveLength(1);
    // the same letters, composed in another way
    await again.lock.unlock(PASSPHRASE.normalize("NFD"));
    await issue(again, "web2");
    expect(again.lock.isLocked).toBe(false);
  });

  it("has a file that OpenSSL reads, with scrypt, and nobody without the passphrase", async () => {
    const before = createPrivateKey(await readFile(join(folder, "ca.key")));
    await authority.lock.setPassphrase("", "correct horse");
    const file = join(folder, "ca.key");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const pem = await readFile(file, "utf8");
    expect(pem).toContain("BEGIN ENCRYPTED PRIVATE KEY");
    const shown = await openssl("", "asn1parse", "-in", file);
    expect(shown).toMatch(/PBES2[\s\S]*:1\.3\.6\.1\.4\.1\.11591\.4\.11|PBES2[\s\S]*scrypt/);
    expect(shown).toContain("aes-256-cbc");
    const key = await openssl("correct horse", "pkey", "-in", file, "-passin", "stdin");
    expect(createPrivateKey(key).equals(before)).toBe(true);
    await expect(openssl("wrong", "pkey", "-in", file, "-passin", "stdin")).rejects.toThrow();
  });

  it("takes a key that OpenSSL encrypted in its own way", async () => {
    const file = join(folder, "ca.key");
    const pem = await openssl("other words", "pkcs8", "-topk8", "-in", file, "-passout", "stdin");
    await writeFile(file, pem);
    await chmod(file, 0o600);
    const again = await reopened();
    await again.lock.unlock("other words");
    await issue(again);
  });

  it("changes and loses it only by the present one, also while unlocked", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const { lock } = authority;
    await expect(lock.setPassphrase("", "short")).rejects.toMatchObject({ reason: "bad-argument" });
    await lock.setPassphrase("", PASSPHRASE);
    await expect(lock.setPassphrase("wrong words", "another one")).rejects.toMatchObject({
      reason: "denied",
    });
    vi.advanceTimersByTime(1000);
    await lock.setPassphrase(PASSPHRASE, "another one");
    expect((await reopened()).lock.isLocked).toBe(true);
    await lock.setPassphrase("another one", "");
    expect((await reopened()).lock).toMatchObject({ isEncrypted: false, isLocked: false });
  });

  it("makes whoever guesses wait longer each time, right guesses too", async () => {
    await authority.lock.setPassphrase("", PASSPHRASE);
    const { lock } = await reopened();
    vi.useFakeTimers({ toFake: ["Date"] });
    let waitedMs = 0;
    for (let guess = 0; guess < 8; guess++) {
      await expect(lock.unlock(`guess ${guess}`)).rejects.toMatchObject({ reason: "denied" });
      await expect(lock.unlock(PASSPHRASE)).rejects.toMatchObject({ reason: "unavailable" });
      const nextMs = Math.min(500 * 2 ** guess, 60_000);
      vi.advanceTimersByTime(nextMs - 1);
      await expect(lock.unlock(PASSPHRASE)).rejects.toMatchObject({ reason: "unavailable" });
      vi.advanceTimersByTime(1);
      waitedMs += nextMs;
    }
    expect(waitedMs).toBeGreaterThan(60_000);
    await lock.unlock(PASSPHRASE);
    expect(lock.isLocked).toBe(false);
  });

  it("leaves the overlord its own certificate while that is good", async () => {
    const { publicKey, privateKeyPem } = await generateKey();
    const params = { role: "overlord", name: "boss", publicKey } as const;
    // 5 minutes of its life are over already, of 386 s
    const { certificatePem } = await authority.issue({ ...params, days: 86 / 86_400 });
    const file = join(folder, "own", "overlord.pem");
    await openOverlordCredentials(join(folder, "own"), authority, "boss");
    await writeFile(file, privateKeyPem + certificatePem, { mode: 0o600 });
    await authority.lock.setPassphrase("", PASSPHRASE);
    const locked = await reopened();
    const own = await openOverlordCredentials(join(folder, "own"), locked, "boss");
    expect(own.certificate).toBe(certificatePem);
    expect(own.problem).toContain("locked");
    await locked.lock.unlock(PASSPHRASE);
    const next = await openOverlordCredentials(join(folder, "own"), locked, "boss");
    expect(next.certificate).not.toBe(certificatePem);
    expect(next.problem).toBeUndefined();
  });
});
