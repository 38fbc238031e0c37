import { X509Certificate } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLog, silentLog } from "../../server/common/log";
import { keepKeySuccession } from "../../server/minion/keySuccessions";
import {
  openNextKey,
  openPrivateKey,
  readCredentials,
  saveCredentials,
  type MinionCredentials,
} from "../../server/minion/minionCredentials";
import { Renewal } from "../../server/minion/renewal";
import { renewalDueMs } from "../../server/overlord/renewalSchedule";
import {
  CertificateAuthority,
  type IssueParams,
} from "../../server/pki/authority/certificateAuthority";
import { createCsr, readCsr } from "../../server/pki/certificates/csr";
import { keyFingerprint } from "../../server/pki/certificates/identity";
import { generateKey } from "../../server/pki/certificates/keyFiles";
import { formerFingerprints } from "../../server/pki/documents/keySuccession";
import { readRenewalRequest, renewalRequest } from "../../server/pki/enrolment/renewal";

let root: string;
let pki: string;
let authority: CertificateAuthority;
let present: MinionCredentials | undefined;
let used: MinionCredentials[];
let renewal: Renewal;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "func-renewal-"));
  pki = join(root, "pki");
  authority = await CertificateAuthority.create(join(root, "ca"), "test");
  const certificate = await issue(createCsr("web1", await openPrivateKey(pki)));
  await saveCredentials(pki, { ca: authority.certificatePem, certificate });
  present = await readCredentials(pki);
  used = [];
  renewal = new Renewal(
    pki,
    () => present,
    (next) => {
      present = next;
      used.push(next);
    },
  );
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function issue(csr: string, change: Partial<IssueParams> = {}, from = authority) {
  const { name, publicKey } = readCsr(csr);
  return (await from.issue({ role: "minion", name, publicKey, ...change })).certificatePem;
}

function presentKey(): string {
  return keyFingerprint(new X509Certificate(present?.certificate ?? "").publicKey);
}

describe("on the minion", () => {
  it("goes over to a new key, which never was anywhere else", async () => {
    const before = presentKey();
    const request = await renewal.request();
    expect(JSON.stringify(request)).not.toContain("PRIVATE");
    const { csr } = request;
    const shown = await renewal.install(await issue(csr), authority.certificatePem);
    expect(shown).not.toBe(before);
    expect(presentKey()).toBe(shown);
    expect(await readCredentials(pki)).toEqual(used.at(-1));
    expect((await readdir(pki)).sort()).toEqual([
      "ca.crt",
      "minion.crt",
      "minion.key",
      "succession.json",
    ]);
  });

  it("has each key name the next one, the last eight of them", async () => {
    const keys = [presentKey()];
    for (let time = 0; time < 10; time++) {
      const { csr } = await renewal.request();
      keys.push(await renewal.install(await issue(csr), authority.certificatePem));
    }
    const found = await readCredentials(pki);
    expect(formerFingerprints(found?.successions ?? [])).toEqual(keys.slice(2, 10));
    expect(found?.successions).toEqual(present?.successions);
    expect((await stat(join(pki, "succession.json"))).mode & 0o777).toBe(0o600);
  });

  it("leaves out a successor that never came into use, and names the one that did", async () => {
    const before = presentKey();
    const next = await openNextKey(pki);
    await keepKeySuccession(pki, presentPair(), next, silentLog);
    expect(await readCredentials(pki)).toEqual(present);
    await writeFile(join(pki, "minion.key.next"), "rubbish", { mode: 0o600 });
    const { csr } = await renewal.request();
    await renewal.install(await issue(csr), authority.certificatePem);
    const { successions = [] } = (await readCredentials(pki)) ?? {};
    expect(formerFingerprints(successions)).toEqual([before]);
  });

  it("has its former keys also where it ended between certificate and key", async () => {
    const before = presentKey();
    const { csr } = await renewal.request();
    await keepKeySuccession(pki, presentPair(), await openNextKey(pki), silentLog);
    await writeFile(join(pki, "minion.crt"), await issue(csr));
    const { successions = [] } = (await readCredentials(pki)) ?? {};
    expect(formerFingerprints(successions)).toEqual([before]);
  });

  it("does without its former keys where their file is damaged, and says so", async () => {
    const file = join(pki, "succession.json");
    const notes: string[] = [];
    const log = createLog((line) => notes.push(line));
    for (const text of ["{", "null", "[1]", "[{}]", `[${'{"publicKey":"A"},'.repeat(9)}1]`]) {
      await writeFile(file, text);
      expect(await readCredentials(pki, log)).toEqual(present);
    }
    await rm(file);
    await mkdir(file);
    expect(await readCredentials(pki, log)).toEqual(present);
    expect(notes).toHaveLength(6);
    // the renewal itself goes on
    const { csr } = await renewal.request();
    const shown = await renewal.install(await issue(csr), authority.certificatePem);
    expect(presentKey()).toBe(shown);
  });

  it("asks for the same key again until there is a certificate for it", async () => {
    const first = await renewal.request();
    const second = await renewal.request();
    expect(readCsr(second.csr).publicKey.equals(readCsr(first.csr).publicKey)).toBe(true);
    const certificate = await issue(first.csr);
    const shown = await renewal.install(certificate, authority.certificatePem);
    // its first answer got lost
    expect(await renewal.install(certificate, authority.certificatePem)).toBe(shown);
  });

  it("finishes at its start what a crash left half done", async () => {
    const { csr } = await renewal.request();
    const certificate = await issue(csr);
    await writeFile(join(pki, "minion.crt"), certificate);
    const found = await readCredentials(pki);
    expect(found?.certificate).toBe(certificate);
    expect(new X509Certificate(certificate).publicKey.asymmetricKeyType).toBe("ec");
    expect(await readdir(pki)).not.toContain("minion.key.next");
    expect(await readCredentials(pki)).toEqual(found);
  });

  it("makes another next key where that file is damaged", async () => {
    await renewal.request();
    await writeFile(join(pki, "minion.key.next"), "rubbish", { mode: 0o600 });
    const { csr } = await renewal.request();
    await renewal.install(await issue(csr), authority.certificatePem);
    expect(used).toHaveLength(1);
  });

  it.each<[string, () => Promise<[string, string]>, RegExp]>([
    ["of another name", async () => [await issueNext({ name: "web2" }), ca()], /is for web2/],
    [
      "of another role",
      async () => [await issueNext({ role: "overlord" }), ca()],
      /not a minion's/,
    ],
    [
      "for another key",
      async () => [await issueNext({ publicKey: (await generateKey()).publicKey }), ca()],
      /for another key/,
    ],
    [
      "from another CA",
      async () => {
        const other = await CertificateAuthority.create(join(root, "other"), "other");
        return [await issueNext({}, other), other.certificatePem];
      },
      /CA that this minion does not trust/,
    ],
    [
      "that is damaged",
      async () => [(await issueNext({})).replace(/A/g, "B"), ca()],
      /cannot be read|does not trust|is not a minion/,
    ],
  ])("refuses a certificate %s", async (_what, make, problem) => {
    const before = present;
    const [certificate, from] = await make();
    await expect(renewal.install(certificate, from)).rejects.toMatchObject({
      reason: "bad-argument",
      message: expect.stringMatching(problem) as string,
    });
    expect(present).toBe(before);
    expect(await readCredentials(pki)).toEqual(before);
  });
});

function ca(): string {
  return authority.certificatePem;
}

async function issueNext(change: Partial<IssueParams>, from = authority): Promise<string> {
  return issue(createCsr("web1", await openNextKey(pki)), change, from);
}

describe("on the overlord", () => {
  const known = () => ({ name: "web1", keyFingerprints: [presentKey()] });

  it("takes a request that the known key has signed", async () => {
    const read = readRenewalRequest(await renewal.request(), known());
    expect(read.presentKeyFingerprint).toBe(presentKey());
    expect(read.keyFingerprint).not.toBe(presentKey());
  });

  it("refuses one of another key, name or signature, and one for the same key", async () => {
    const good = await renewal.request();
    const other = await generateKey();
    const strange = renewalRequest(
      "web1",
      { key: other.privateKeyPem, certificate: await issueFor("web1", other.publicKey) },
      await openNextKey(pki),
    );
    const swapped = { ...good, csr: createCsr("web1", other.privateKeyPem) };
    const renamed = renewalRequest("web2", presentPair(), await openNextKey(pki));
    const same = renewalRequest("web1", presentPair(), presentPair().key);
    for (const answer of [strange, swapped, renamed, same]) {
      expect(() => readRenewalRequest(answer, known())).toThrow(/is not renewed/);
    }
    for (const answer of [null, "x", {}, { ...good, csr: "" }, { ...good, certificate: "-" }]) {
      expect(() => readRenewalRequest(answer, known())).toThrow(/cannot be read/);
    }
  });

  it("renews between two thirds and 23 thirtieths of a life, each certificate at its own moment", () => {
    const record = (certificateSerial: string) => ({
      certificateSerial,
      certificateNotAfterMs: 90_000,
    });
    const moments = Array.from({ length: 64 }, (_, index) =>
      renewalDueMs(record(`AB${(index * 0x4000000).toString(16).padStart(8, "0")}`), {
        notBeforeMs: 0,
      }),
    );
    expect(Math.min(...moments)).toBeGreaterThanOrEqual(60_000);
    expect(Math.max(...moments)).toBeLessThanOrEqual(69_000);
    expect(new Set(moments).size).toBe(64);
    expect(renewalDueMs(record("FF"), undefined)).toBeLessThan(90_000);
  });
});

function presentPair(): MinionCredentials {
  if (!present) throw new Error("not enrolled");
  return present;
}

async function issueFor(name: string, publicKey: IssueParams["publicKey"]): Promise<string> {
  return (await authority.issue({ role: "minion", name, publicKey })).certificatePem;
}
