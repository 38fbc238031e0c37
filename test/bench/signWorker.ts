import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import forge from "node-forge";
import { CertificateAuthority } from "../../server/pki/authority/certificateAuthority";
import { createCsr, readCsr } from "../../server/pki/certificates/csr";
import { workerReady } from "./worker";

export interface SignOptions {
  library: "ours" | "forge";
  /** Of the hosts that ask; forge knows RSA only. */
  keys: "EC" | "RSA";
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Signs as many certificate requests as a line says; answers with the CPU time in ms. */
export async function signWorker({ library, keys }: SignOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "func-sign-"));
  process.on("exit", () => {
    rmSync(folder, { recursive: true, force: true });
  });
  const csr = createCsr("web1", privateKey(keys));
  const sign = library === "ours" ? await ourSigner(folder, csr) : forgeSigner(csr);
  workerReady({});
  for await (const line of createInterface({ input: process.stdin })) {
    const { times } = JSON.parse(line) as { times: number };
    const start = process.cpuUsage();
    await sign(times);
    const { user, system } = process.cpuUsage(start);
    process.stdout.write(`${(user + system) / 1_000}\n`);
  }
}

/** All that signing takes, the list of what was issued on disk included. */
async function ourSigner(folder: string, csr: string): Promise<(times: number) => Promise<void>> {
  const authority = await CertificateAuthority.create(join(folder, "ca"), "bench");
  return async (times) => {
    const issuing = Array.from({ length: times }, () => {
      const { name, publicKey } = readCsr(csr);
      return authority.issue({ role: "minion", name, publicKey });
    });
    await Promise.all(issuing);
  };
}

/** The same in memory only. */
function forgeSigner(csrPem: string): (times: number) => Promise<void> {
  const authorityKey = forge.pki.privateKeyFromPem(privateKey("RSA"));
  const issuer = [{ name: "commonName", value: "Func CA bench" }];
  const signOne = (): string => {
    const csr = forge.pki.certificationRequestFromPem(csrPem);
    const { publicKey } = csr;
    if (!publicKey || !csr.verify()) throw new Error("the request is not signed by its key");
    const certificate = forge.pki.createCertificate();
    certificate.publicKey = publicKey;
    certificate.serialNumber = `01${randomBytes(15).toString("hex")}`;
    const now = Date.now();
    certificate.validity = { notBefore: new Date(now), notAfter: new Date(now + 90 * DAY_MS) };
    certificate.setSubject(csr.subject.attributes);
    certificate.setIssuer(issuer);
    certificate.setExtensions([
      { name: "basicConstraints", cA: false, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      { name: "subjectAltName", altNames: [{ type: 6, value: "func:minion:web1" }] },
    ]);
    certificate.sign(authorityKey, forge.md.sha256.create());
    return forge.pki.certificateToPem(certificate);
  };
  return (times) => {
    for (let turn = 0; turn < times; turn++) signOne();
    return Promise.resolve();
  };
}

function privateKey(keys: SignOptions["keys"]): string {
  const publicKeyEncoding = { type: "spki", format: "pem" } as const;
  if (keys === "EC") {
    const privateKeyEncoding = { type: "pkcs8", format: "pem" } as const;
    const options = { namedCurve: "P-256", publicKeyEncoding, privateKeyEncoding };
    return generateKeyPairSync("ec", options).privateKey;
  }
  const privateKeyEncoding = { type: "pkcs1", format: "pem" } as const;
  const options = { modulusLength: 2048, publicKeyEncoding, privateKeyEncoding };
  return generateKeyPairSync("rsa", options).privateKey;
}
