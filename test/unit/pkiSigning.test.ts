import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { X509Certificate } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CertificateAuthority } from "../../server/pki/authority/certificateAuthority";
import { createCsr } from "../../server/pki/certificates/csr";
import { identityOf } from "../../server/pki/certificates/identity";
import { generateKey } from "../../server/pki/certificates/keyFiles";
import { signRequest } from "../../server/pki/authority/signing";

let folder: string;
let authority: CertificateAuthority;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "signing-"));
  authority = await CertificateAuthority.create(join(folder, "ca"), "test");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function requestFor(name: string, role?: "minion" | "operator"): Promise<string> {
  return createCsr(name, (await generateKey()).privateKeyPem, role);
}

const reason = (text: string): unknown => expect.objectContaining({ reason: text });

describe("signing a request", () => {
  it("gives a name to a key, and to that key again", async () => {
    const csr = await requestFor("Web1");
    const first = await signRequest(authority, { csr, role: "minion", days: 5 });
    const second = await signRequest(authority, { csr, role: "minion", name: "WEB1" });
    expect(second.record.serial).not.toBe(first.record.serial);
    expect(second.record.keyFingerprint).toBe(first.record.keyFingerprint);
    const certificate = new X509Certificate(first.certificate);
    expect(identityOf(certificate)).toMatchObject({ role: "minion", name: "web1" });
    expect(certificate.verify(new X509Certificate(first.ca).publicKey)).toBe(true);
    const days = (first.record.notAfterMs - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(5);
  });

  it("gives a taken name to another key only where it replaces, which revokes", async () => {
    const old = await signRequest(authority, { csr: await requestFor("web1"), role: "minion" });
    const csr = await requestFor("web1");
    await expect(signRequest(authority, { csr, role: "minion" })).rejects.toThrow(
      /already a minion web1, with another key/,
    );
    const next = await signRequest(authority, { csr, role: "minion", replace: true });
    expect(authority.revocationOf(old.record.keyFingerprint)).toBeDefined();
    expect(authority.revocationOf(next.record.keyFingerprint)).toBeUndefined();
    expect(authority.liveMinion("web1")?.serial).toBe(next.record.serial);
  });

  it("gives a name to one of two that come at the same time", async () => {
    const requests = await Promise.all([requestFor("web1"), requestFor("web1")]);
    const outcomes = await Promise.allSettled(
      requests.map((csr) => signRequest(authority, { csr, role: "minion" })),
    );
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(authority.list()).toHaveLength(1);
  });

  it("tells operators from minions: names, requests and revocations are each their own", async () => {
    const operator = { csr: await requestFor("web1", "operator"), role: "operator" as const };
    await expect(signRequest(authority, { ...operator, role: "minion" })).rejects.toEqual(
      reason("bad-data"),
    );
    const minion = await signRequest(authority, { csr: await requestFor("web1"), role: "minion" });
    const signed = await signRequest(authority, operator);
    expect(identityOf(new X509Certificate(signed.certificate))?.role).toBe("operator");
    const other = { csr: await requestFor("web1", "operator"), role: "operator" as const };
    await expect(signRequest(authority, other)).rejects.toThrow(/already an operator web1/);
    await signRequest(authority, { ...other, replace: true });
    expect(authority.revocationOf(signed.record.keyFingerprint)).toBeDefined();
    expect(authority.revocationOf(minion.record.keyFingerprint)).toBeUndefined();
  });

  it("refuses another name, and a key that was revoked", async () => {
    const csr = await requestFor("web1");
    await expect(signRequest(authority, { csr, role: "minion", name: "web2" })).rejects.toEqual(
      reason("bad-argument"),
    );
    const { record } = await signRequest(authority, { csr, role: "minion" });
    await authority.revoke({ serials: [record.serial], reason: "lost" });
    await expect(signRequest(authority, { csr, role: "minion" })).rejects.toEqual(reason("denied"));
    // the name is free for another key then
    await signRequest(authority, { csr: await requestFor("web1"), role: "minion" });
  });

  it("gives nothing out where the replaced one cannot be revoked", async () => {
    const old = await signRequest(authority, { csr: await requestFor("web1"), role: "minion" });
    vi.spyOn(authority, "revoke").mockRejectedValueOnce(new Error("full disk"));
    const csr = await requestFor("web1");
    const replacing = signRequest(authority, { csr, role: "minion", replace: true });
    await expect(replacing).rejects.toThrow("full disk");
    expect(authority.liveMinion("web1")?.serial).toBe(old.record.serial);
  });
});
