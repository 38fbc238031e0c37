import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CertificateAuthority } from "../../server/pki/authority/certificateAuthority";
import { subjectPublicKey } from "../../server/pki/certificates/subjectPublicKey";
import { TestAuthority } from "../fixtures/testCertificates";

let folder: string;
let authority: CertificateAuthority;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "func-spki-"));
  authority = await CertificateAuthority.create(folder, "test");
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the public key within a certificate", () => {
  it.each([
    ["EC", generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey],
    ["EC P-521", generateKeyPairSync("ec", { namedCurve: "P-521" }).publicKey],
    ["RSA", generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey],
    ["Ed25519", generateKeyPairSync("ed25519").publicKey],
  ])("is what Node exports, %s", async (_kind, publicKey) => {
    const { certificatePem } = await authority.issue({ role: "minion", name: "web1", publicKey });
    const found = subjectPublicKey(new X509Certificate(certificatePem).raw);
    expect(found && Buffer.from(found)).toEqual(publicKey.export({ type: "spki", format: "der" }));
  });

  it("is found in certificates that others made, and in the CA's own", () => {
    const { ca, certificate } = new TestAuthority().issue({
      uri: "func:minion:a",
      usage: "serverAuth",
    });
    for (const pem of [ca, certificate, authority.certificatePem]) {
      const { raw, publicKey } = new X509Certificate(pem);
      const found = subjectPublicKey(raw);
      expect(found && Buffer.from(found)).toEqual(
        publicKey.export({ type: "spki", format: "der" }),
      );
    }
  });

  it("is not found in what is cut off or no certificate", () => {
    const { raw } = new X509Certificate(authority.certificatePem);
    for (let length = 0; length < raw.length; length++) {
      expect(subjectPublicKey(raw.subarray(0, length))).toBeUndefined();
    }
    for (const bytes of [
      [],
      [0x30],
      [0x30, 0x80],
      [0x30, 0x85, 1, 1, 1, 1, 1],
      [0x31, 0],
      [0x30, 0],
    ]) {
      expect(subjectPublicKey(Uint8Array.from(bytes))).toBeUndefined();
    }
  });
});
