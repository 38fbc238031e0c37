import { execFileSync } from "node:child_process";
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  X509Certificate,
} from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CertificateAuthority } from "../../server/pki/authority/certificateAuthority";
import { signCertificate } from "../../server/pki/certificates/certificate";
import { distinguishedName } from "../../server/pki/certificates/distinguishedName";
import {
  identityOf,
  isCertmaster,
  keyFingerprint,
  verifyMinionPeer,
} from "../../server/pki/certificates/identity";
import { generateKey } from "../../server/pki/certificates/keyFiles";

let folder: string;
let authority: CertificateAuthority;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "func-pki-"));
  authority = await CertificateAuthority.create(join(folder, "ca"), "lab");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function openssl(...args: string[]): string {
  return execFileSync("openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function verify(leafPem: string, purpose: string): string {
  const ca = file("ca.pem", authority.certificatePem);
  return openssl(
    "verify",
    "-x509_strict",
    "-purpose",
    purpose,
    "-CAfile",
    ca,
    file("leaf.pem", leafPem),
  );
}

async function issue(role: "minion" | "overlord" | "operator", name: string, days?: number) {
  const { publicKey } = await generateKey();
  return await authority.issue({ role, name, publicKey, days });
}

describe("the certificate authority's certificate", () => {
  it("is what openssl expects of a root", () => {
    const text = openssl(
      "x509",
      "-noout",
      "-text",
      "-in",
      file("ca.pem", authority.certificatePem),
    );
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    expect(text).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign/);
    expect(text).toContain("Subject Key Identifier");
    expect(text).toContain("NIST CURVE: P-256");
    expect(text).toContain("ecdsa-with-SHA256");
    expect(
      openssl(
        "verify",
        "-x509_strict",
        "-check_ss_sig",
        "-CAfile",
        join(folder, "ca.pem"),
        join(folder, "ca.pem"),
      ),
    ).toContain("OK");
  });

  it("lives ten years", () => {
    const { validTo, validFrom } = new X509Certificate(authority.certificatePem);
    const days = (Date.parse(validTo) - Date.parse(validFrom)) / 86_400_000;
    expect(days).toBeCloseTo(3652);
  });

  it("signs for no authority below it and for no identity of its own", () => {
    const certificate = new X509Certificate(authority.certificatePem);
    expect(identityOf(certificate)).toBeUndefined();
    expect(authority.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(
      openssl("x509", "-noout", "-fingerprint", "-sha256", "-in", join(folder, "ca.pem"))
        .replaceAll(":", "")
        .toLowerCase(),
    ).toContain(authority.fingerprint);
  });
});

describe("certificates it issues", () => {
  it("a minion's is for servers only", async () => {
    const { certificatePem, record } = await issue("minion", "Web-01.Example.org");
    expect(verify(certificatePem, "sslserver")).toContain("OK");
    expect(() => verify(certificatePem, "sslclient")).toThrow();
    const text = openssl("x509", "-noout", "-text", "-in", join(folder, "leaf.pem"));
    expect(text).toContain("URI:func:minion:web-01.example.org, DNS:web-01.example.org");
    expect(text).toMatch(/Basic Constraints: critical\s+CA:FALSE/);
    expect(text).toMatch(/Key Usage: critical\s+Digital Signature\n/);
    expect(text).toMatch(/Extended Key Usage:\s+TLS Web Server Authentication\n/);
    expect(text).toContain("Authority Key Identifier");
    expect(text).toContain("Subject: CN = web-01.example.org");
    const certificate = new X509Certificate(certificatePem);
    expect(record.serial).toBe(certificate.serialNumber);
    expect(certificate.serialNumber.length).toBeGreaterThan(24);
    expect(Math.round((record.notAfterMs - Date.now()) / 86_400_000)).toBe(90);
    expect(record.notBeforeMs).toBeLessThanOrEqual(Date.now() - 4 * 60_000);
    expect(authority.liveMinion("WEB-01.example.org")).toEqual(record);
  });

  it.each(["overlord", "operator"] as const)("an %s's is for clients only", async (role) => {
    const { certificatePem } = await issue(role, "boss");
    expect(verify(certificatePem, "sslclient")).toContain("OK");
    expect(() => verify(certificatePem, "sslserver")).toThrow();
    const certificate = new X509Certificate(certificatePem);
    expect(certificate.subjectAltName).toBe(`URI:func:${role}:boss`);
    expect(identityOf(certificate)).toEqual({
      role,
      name: "boss",
      keyFingerprint: keyFingerprint(certificate),
    });
    expect(authority.liveMinion("boss")).toBeUndefined();
  });

  it("a certmaster's is a server's, and nobody's identity", async () => {
    const { publicKey } = await generateKey();
    const pem = authority.issueCertmaster("boss", publicKey).certificatePem;
    expect(verify(pem, "sslserver")).toContain("OK");
    expect(isCertmaster(new X509Certificate(pem))).toBe(true);
    expect(identityOf(new X509Certificate(pem))).toBeUndefined();
    expect(
      authority.list().some((record) => record.serial === new X509Certificate(pem).serialNumber),
    ).toBe(false);
  });

  it("names longer than a common name stand whole in the alternative names", async () => {
    const name = `${"a".repeat(60)}.${"b".repeat(60)}.example`;
    const { certificatePem } = await issue("minion", name);
    expect(verify(certificatePem, "sslserver")).toContain("OK");
    const certificate = new X509Certificate(certificatePem);
    expect(certificate.subject).toBe(`CN=${name.slice(0, 64)}`);
    expect(identityOf(certificate)?.name).toBe(name);
  });

  it("take RSA keys", async () => {
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const { certificatePem } = await authority.issue({ role: "minion", name: "old", publicKey });
    expect(verify(certificatePem, "sslserver")).toContain("OK");
  });

  it("have serial numbers of their own", async () => {
    const issued = await Promise.all(Array.from({ length: 50 }, () => issue("minion", "many")));
    expect(new Set(issued.map(({ record }) => record.serial)).size).toBe(50);
  });

  it("refuses bad names and lives", async () => {
    for (const name of ["", "a b", "x,URI:func:overlord:y", "../x", "ä"]) {
      await expect(issue("minion", name)).rejects.toMatchObject({ reason: "bad-argument" });
    }
    for (const days of [0, -1, 826, Number.NaN]) {
      await expect(issue("minion", "x", days)).rejects.toMatchObject({ reason: "bad-argument" });
    }
  });
});

describe("dates", () => {
  it("beyond 2049 are written as GeneralizedTime", () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const certificate = signCertificate(
      {
        issuer: distinguishedName("x"),
        subject: distinguishedName("x"),
        publicKey,
        notBeforeMs: Date.UTC(2049, 11, 31, 23, 59, 59),
        notAfterMs: Date.UTC(2050, 0, 1, 0, 0, 1),
        extensions: [],
      },
      privateKey,
    );
    const path = join(folder, "dates.der");
    writeFileSync(path, certificate.raw);
    const text = openssl("asn1parse", "-inform", "DER", "-in", path);
    expect(text).toMatch(/UTCTIME\s+:491231235959Z/);
    expect(text).toMatch(/GENERALIZEDTIME\s+:20500101000001Z/);
    expect(certificate.validTo).toContain("2050");
  });
});

describe("identity", () => {
  const peer = (name: string, keyFingerprint?: string) => ({
    name,
    address: "10.0.0.1",
    port: 51234,
    keyFingerprint,
  });

  it("of a minion is its name and its key", async () => {
    const { privateKeyPem, publicKey } = await generateKey();
    const { certificatePem } = await authority.issue({ role: "minion", name: "web1", publicKey });
    const certificate = new X509Certificate(certificatePem);
    const fingerprint = keyFingerprint(createPrivateKey(privateKeyPem));
    expect(fingerprint).toBe(keyFingerprint(publicKey));
    expect(fingerprint).toBe(keyFingerprint(createPublicKey(privateKeyPem)));
    verifyMinionPeer(certificate, peer("web1", fingerprint));
    verifyMinionPeer(certificate, peer("WEB1"));
    const wrong = expect.objectContaining({ reason: "wrong-identity" }) as Error;
    expect(() => verifyMinionPeer(certificate, peer("web2"))).toThrow(wrong);
    expect(() => verifyMinionPeer(certificate, peer("web1", "0".repeat(64)))).toThrow(wrong);
  });

  it("of an overlord is none of a minion", async () => {
    const { certificatePem } = await issue("overlord", "web1");
    expect(() => verifyMinionPeer(new X509Certificate(certificatePem), peer("web1"))).toThrow(
      /minion/,
    );
  });

  it.each([
    [
      "of another role than its usage",
      "subjectAltName=URI:func:overlord:x\nextendedKeyUsage=serverAuth",
    ],
    [
      "of more usages than its role's",
      "subjectAltName=URI:func:minion:x\nextendedKeyUsage=serverAuth,clientAuth",
    ],
    [
      "with two identities",
      "subjectAltName=URI:func:minion:x,URI:func:minion:y\nextendedKeyUsage=serverAuth",
    ],
    [
      "with a name that hides another",
      "subjectAltName=@n\nextendedKeyUsage=serverAuth\n[n]\nDNS.1=a, URI:func:minion:x, b",
    ],
    ["of no known role", "subjectAltName=URI:func:king:x\nextendedKeyUsage=serverAuth"],
    ["with a name that is none", "subjectAltName=URI:func:minion:X Y\nextendedKeyUsage=serverAuth"],
    [
      "of an authority",
      "basicConstraints=CA:TRUE\nsubjectAltName=URI:func:minion:x\nextendedKeyUsage=serverAuth",
    ],
    ["without names", "extendedKeyUsage=serverAuth"],
  ])("is not seen in a certificate %s", (_, extensions) => {
    const config = file(
      "bad.cnf",
      `[req]\ndistinguished_name=d\nx509_extensions=v\n[d]\n[v]\n${extensions}\n`,
    );
    const key = file(
      "bad.key",
      generateKeyPairSync("ec", { namedCurve: "P-256" })
        .privateKey.export({ type: "pkcs8", format: "pem" })
        .toString(),
    );
    const pem = openssl("req", "-x509", "-new", "-key", key, "-config", config, "-subj", "/CN=x");
    expect(identityOf(new X509Certificate(pem))).toBeUndefined();
    expect(isCertmaster(new X509Certificate(pem))).toBe(false);
  });
});
