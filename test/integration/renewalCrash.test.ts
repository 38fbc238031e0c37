import { spawn } from "node:child_process";
import { createPrivateKey, randomInt, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "esbuild";
import { afterEach, beforeEach, expect, it } from "vitest";
import {
  openPrivateKey,
  readCredentials,
  saveCredentials,
} from "../../server/minion/minionCredentials";
import { CertificateAuthority } from "../../server/pki/authority/certificateAuthority";
import { createCsr, readCsr } from "../../server/pki/certificates/csr";
import { keyFingerprint } from "../../server/pki/certificates/identity";
import { formerFingerprints, MAX_SUCCESSIONS } from "../../server/pki/documents/keySuccession";

const KILLS = 25;

let root: string;
let pki: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "func-crash-"));
  pki = join(root, "pki");
  const authority = await CertificateAuthority.create(join(root, "ca"), "test");
  const { publicKey } = readCsr(createCsr("web1", await openPrivateKey(pki)));
  const { certificatePem } = await authority.issue({ role: "minion", name: "web1", publicKey });
  await saveCredentials(pki, { ca: authority.certificatePem, certificate: certificatePem });
});
afterEach(() => rm(root, { recursive: true, force: true }));

it("a minion killed at any moment of a renewal has one pair that works, and its former keys", async () => {
  const worker = join(root, "worker.cjs");
  await build({
    entryPoints: ["test/fixtures/renewalWorker.ts"],
    outfile: worker,
    bundle: true,
    platform: "node",
    format: "cjs",
    mainFields: ["module", "main"],
    logLevel: "error",
  });
  const serials = new Set<string>();
  let seen = keyFingerprint(createPrivateKey(await openPrivateKey(pki)));
  for (let kill = 0; kill < KILLS; kill++) {
    const child = spawn(process.execPath, [worker, root], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    await sleep(randomInt(0, 12));
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    const credentials = await readCredentials(pki);
    const certificate = new X509Certificate(credentials?.certificate ?? "");
    expect(certificate.checkPrivateKey(createPrivateKey(credentials?.key ?? ""))).toBe(true);
    serials.add(certificate.serialNumber);
    // the key that was seen before is among the former ones
    const former = formerFingerprints(credentials?.successions ?? []);
    if (former.length < MAX_SUCCESSIONS) expect(former).toContain(seen);
    seen = keyFingerprint(certificate.publicKey);
    expect(former).not.toContain(seen);
  }
  expect(serials.size).toBeGreaterThan(1);
});
