import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { silentLog } from "../../server/common/log";
import { Revocations } from "../../server/minion/revocations";
import { CertificateAuthority } from "../../server/pki/authority/certificateAuthority";
import { workingKey } from "../../server/pki/certificates/keyFiles";
import {
  KEPT_FOR_MS,
  signRevocationList,
  type RevokedCertificate,
} from "../../server/pki/documents/revocationList";

let home: string;
let revocations: Revocations;
let document: (number: number, revoked: RevokedCertificate[]) => string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "func-lists-"));
  const authority = await CertificateAuthority.create(join(home, "ca"), "lab");
  const key = workingKey(await readFile(join(home, "ca", "ca.key"), "utf8"));
  await writeFile(join(home, "ca.crt"), authority.certificatePem);
  revocations = await Revocations.open(home, silentLog);
  document = (number, revoked) =>
    signRevocationList({ number, issuedAtMs: Date.now(), revoked }, [key]).document;
});
afterEach(() => rm(home, { recursive: true, force: true }));

function revoked(name: string, atMs = Date.now()): RevokedCertificate {
  const digit = name.charCodeAt(0).toString(16);
  return {
    serial: digit.toUpperCase(),
    keyFingerprint: digit.repeat(32),
    role: "operator",
    name,
    atMs,
  };
}

it("takes no list that is another of the same number, or lacks what the present one revokes", async () => {
  const [alice, bob] = [revoked("alice"), revoked("bob")];
  await revocations.set(document(3, [alice]));
  await expect(revocations.set(document(3, [bob]))).rejects.toThrow(/lacks operator alice/);
  await expect(revocations.set(document(4, [bob]))).rejects.toThrow(/lacks operator alice/);
  await expect(revocations.set(document(3, [alice, bob]))).rejects.toThrow(/another one/);
  expect(revocations.status()).toMatchObject({ number: 3, revoked: 1 });
  expect(await revocations.set(document(3, [alice]))).toBe(3);
  expect(await revocations.set(document(4, [bob, alice]))).toBe(4);
});

it("lets go of what has run out for certain, and of nothing before", async () => {
  const old = revoked("old", Date.now() - KEPT_FOR_MS - 1_000);
  const nearly = revoked("nearly", Date.now() - KEPT_FOR_MS + 60_000);
  await revocations.set(document(1, [old, nearly]));
  await expect(revocations.set(document(2, []))).rejects.toThrow(/lacks operator nearly/);
  expect(await revocations.set(document(2, [nearly]))).toBe(2);
});

it("does not acknowledge a list that it cannot keep, and keeps it when it comes again", async () => {
  const list = document(1, [revoked("alice")]);
  await mkdir(join(home, "revocations.json"));
  await expect(revocations.set(list)).rejects.toThrow(/cannot be kept/);
  expect(revocations.status()).toMatchObject({ number: 1, kept: false });
  await rm(join(home, "revocations.json"), { recursive: true });
  expect(await revocations.set(list)).toBe(1);
  expect(revocations.status()).toMatchObject({ number: 1, kept: true });
});
