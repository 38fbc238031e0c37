import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CertificateAuthority } from "../../server/pki/authority/certificateAuthority";
import {
  cnOnlyIdentity,
  keyFingerprint,
  verifyMinionPeer,
} from "../../server/pki/certificates/identity";
import { importAuthority } from "../../server/pki/authority/importAuthority";
import { generateKey } from "../../server/pki/certificates/keyFiles";
import { peerCertificate } from "../../server/wire/peerCertificate";
import type { WirePeer } from "../../server/wire/wirePeer";
import { openssl, OriginalAuthority } from "../fixtures/originalAuthority";

let folder: string;
let original: OriginalAuthority;
let authority: CertificateAuthority;
let web1: X509Certificate;

const read = (file: string): X509Certificate => new X509Certificate(readFileSync(file));
const imported = (from: OriginalAuthority, name: string): Promise<CertificateAuthority> =>
  importAuthority(join(folder, name), {
    certificateFile: from.certificate,
    keyFile: from.key,
  });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "func-cn-"));
  original = new OriginalAuthority(join(folder, "original"));
  authority = await imported(original, "ca");
  web1 = read(original.sign("Web1").certificate);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function marked(more: Partial<WirePeer> = {}): WirePeer {
  const pinned = { keyFingerprint: keyFingerprint(web1), cnOnly: true } as const;
  return { name: "web1", address: "10.0.0.1", port: 51234, ...pinned, ...more };
}

describe("a certificate with a common name only", () => {
  it("is good for the record that is marked so, on its key", () => {
    expect(() => {
      verifyMinionPeer(peerCertificate(web1), marked());
    }).not.toThrow();
  });

  it("is good for no other", async () => {
    const judged = (certificate: X509Certificate, peer: WirePeer, successors?: string[]) => () => {
      verifyMinionPeer(peerCertificate(certificate), peer, successors);
    };
    const otherKey = read(original.sign("web1").certificate);
    expect(judged(otherKey, marked())).toThrow(/has another key/);
    // a successor is a renewed certificate, which has a role
    expect(judged(otherKey, marked(), [keyFingerprint(otherKey)])).toThrow(/has another key/);
    expect(judged(web1, marked({ keyFingerprint: undefined }))).toThrow(/has another key/);
    expect(judged(web1, marked({ name: "web2" }))).toThrow(/is web1, another minion/);
    expect(judged(web1, marked({ cnOnly: undefined }))).toThrow(/the certificate of a minion/);
    const { publicKey } = web1; // the very key that is pinned
    for (const [role, name, message] of [
      ["minion", "web2", /is web2, another minion/],
      ["operator", "web1", /the certificate of a minion/],
      ["overlord", "web1", /the certificate of a minion/],
    ] as const) {
      const { certificatePem } = await authority.issue({ role, name, publicKey });
      expect(judged(new X509Certificate(certificatePem), marked())).toThrow(message);
    }
    const certmaster = authority.issueCertmaster("web1", publicKey).certificatePem;
    expect(judged(new X509Certificate(certmaster), marked())).toThrow(
      /the certificate of a minion/,
    );
    expect(judged(read(original.certificate), marked())).toThrow(/the certificate of a minion/);
  });

  it.each(["web1/CN=web2", "web 1", "..", "web1\\/x"])("has no identity as %j", (name) => {
    expect(cnOnlyIdentity(peerCertificate(read(original.sign(name).certificate)))).toBeUndefined();
  });
});

describe("an imported CA", () => {
  const EXTENSIONS = {
    "with SHA-1 as its key identifier":
      "basicConstraints = critical,CA:TRUE\nsubjectKeyIdentifier = hash\nkeyUsage = critical,keyCertSign,cRLSign\n",
    "with a key identifier of its own":
      "basicConstraints = critical,CA:TRUE\nsubjectKeyIdentifier = 00112233\nkeyUsage = critical,keyCertSign,cRLSign\n",
  };

  it.each(Object.entries(EXTENSIONS))(
    "%s signs what is strictly right",
    async (what, extensions) => {
      const made = new OriginalAuthority(join(folder, what.replaceAll(" ", "-")), { extensions });
      const ours = await imported(made, `${what.replaceAll(" ", "-")}-ca`);
      const { publicKey } = await generateKey();
      const { certificatePem } = await ours.issue({ role: "minion", name: "web1", publicKey });
      const files = { leaf: join(folder, "leaf"), crl: join(folder, "crl") };
      writeFileSync(files.leaf, certificatePem);
      const verify = [
        "verify",
        "-x509_strict",
        "-purpose",
        "sslserver",
        "-CAfile",
        made.certificate,
      ];
      expect(openssl(...verify, files.leaf)).toContain(": OK");
      await ours.revoke({ names: ["web1"], reason: "lost" });
      writeFileSync(files.crl, ours.crl());
      expect(() => openssl(...verify, "-crl_check", "-CRLfile", files.crl, files.leaf)).toThrow(
        /revoked/,
      );
      expect(ours.revocationList().number).toBe(1);
    },
  );

  it("is never put over another", async () => {
    await expect(imported(original, "ca")).rejects.toMatchObject({ reason: "conflict" });
  });
});
