import { execFileSync } from "node:child_process";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCsr, readCsr } from "../../server/pki/certificates/csr";
import { keyFingerprint } from "../../server/pki/certificates/identity";
import { generateKey } from "../../server/pki/certificates/keyFiles";
import { fromPem, toPem } from "../../server/pki/certificates/pem";
import { FuncError } from "../../server/common/errors";

const LABEL = "CERTIFICATE REQUEST";
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "func-csr-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function openssl(...args: string[]): string {
  return execFileSync("openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function opensslCsr(keyArguments: string[], ...args: string[]): string {
  const key = join(folder, "openssl.key");
  writeFileSync(key, openssl("genpkey", ...keyArguments), { mode: 0o600 });
  return openssl("req", "-new", "-key", key, ...args);
}

const P256 = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
const badData = expect.objectContaining({ reason: "bad-data" }) as Error;

describe("a certificate request", () => {
  it("is one that openssl verifies", async () => {
    const { privateKeyPem, publicKey } = await generateKey();
    const path = join(folder, "ours.csr");
    writeFileSync(path, createCsr("Web1.example.org", privateKeyPem));
    const text = openssl("req", "-verify", "-noout", "-text", "-in", path);
    expect(text).toContain("Subject: CN = web1.example.org");
    expect(text).toContain("URI:func:minion:web1.example.org, DNS:web1.example.org");
    const read = readCsr(createCsr("Web1.example.org", privateKeyPem));
    expect(read.name).toBe("web1.example.org");
    expect(keyFingerprint(read.publicKey)).toBe(keyFingerprint(publicKey));
  });

  it("keeps names longer than a common name", async () => {
    const name = `${"a".repeat(60)}.${"b".repeat(60)}.example`;
    expect(readCsr(createCsr(name, (await generateKey()).privateKeyPem)).name).toBe(name);
  });

  it("is made with RSA keys too", () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const read = readCsr(createCsr("old", pem));
    expect(keyFingerprint(read.publicKey)).toBe(keyFingerprint(createPublicKey(privateKey)));
  });

  it("of openssl is read, by common name or alternative name", () => {
    expect(readCsr(opensslCsr(P256, "-subj", "/O=Acme/CN=WEB2")).name).toBe("web2");
    expect(readCsr(opensslCsr(P256, "-subj", "/", "-addext", "subjectAltName=DNS:web3")).name).toBe(
      "web3",
    );
    expect(
      readCsr(
        opensslCsr(P256, "-subj", "/CN=web4", "-addext", "subjectAltName=DNS:www.example.org"),
      ).name,
    ).toBe("web4");
    expect(readCsr(opensslCsr(["-algorithm", "RSA"], "-sha512", "-subj", "/CN=web5")).name).toBe(
      "web5",
    );
  });

  it.each([
    [
      "a weak RSA key",
      ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
      ["-subj", "/CN=x"],
    ],
    [
      "another curve",
      ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
      ["-subj", "/CN=x"],
    ],
    ["a curve spelled out", [...P256, "-pkeyopt", "ec_param_enc:explicit"], ["-subj", "/CN=x"]],
    ["an Ed25519 key", ["-algorithm", "ED25519"], ["-subj", "/CN=x"]],
    ["SHA-1", P256, ["-sha1", "-subj", "/CN=x"]],
    ["no name", P256, ["-subj", "/O=Acme"]],
    ["a name that is none", P256, ["-subj", "/CN=a b"]],
    ["two common names", P256, ["-subj", "/CN=a/CN=b"]],
    ["another role", P256, ["-subj", "/CN=x", "-addext", "subjectAltName=URI:func:overlord:x"]],
    [
      "two identities",
      P256,
      ["-subj", "/CN=x", "-addext", "subjectAltName=URI:func:minion:x,URI:func:minion:y"],
    ],
    [
      "names that contradict",
      P256,
      ["-subj", "/CN=x", "-addext", "subjectAltName=URI:func:minion:y"],
    ],
  ])("with %s is refused", (_, keyArguments, args) => {
    const pem = opensslCsr(keyArguments, ...args);
    expect(() => readCsr(pem)).toThrow(badData);
  });

  it("with any bit changed is refused", async () => {
    const der = fromPem([LABEL], createCsr("web1", (await generateKey()).privateKeyPem));
    if (der === undefined) throw new Error("no request");
    fc.assert(
      fc.property(fc.nat({ max: der.length * 8 - 1 }), (bit) => {
        const changed = Buffer.from(der);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(() => readCsr(toPem(LABEL, changed))).toThrow(badData);
      }),
      { numRuns: 1000 },
    );
  });

  it("of any bytes is refused with a plain error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          readCsr(toPem(LABEL, bytes));
          return false;
        } catch (error) {
          return error instanceof FuncError && error.reason === "bad-data";
        }
      }),
    );
    for (const text of ["", "x", `-----BEGIN ${LABEL}-----`, "A".repeat(1_000_000)]) {
      expect(() => readCsr(text)).toThrow(badData);
    }
    expect(() => readCsr(toPem(LABEL, Buffer.alloc(9000, 0x30)))).toThrow(badData);
  });
});
