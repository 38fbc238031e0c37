import {
  createPrivateKey,
  generateKeyPairSync,
  X509Certificate,
  type KeyObject,
} from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLog } from "../../server/common/log";
import { Revocations } from "../../server/minion/revocations";
import { CertificateAuthority } from "../../server/pki/authority/certificateAuthority";
import type { Identity, Role } from "../../server/pki/certificates/identity";
import { generateKey } from "../../server/pki/certificates/keyFiles";
import {
  signRevocationList,
  verifyRevocationList,
  type RevocationList,
  type RevokedCertificate,
} from "../../server/pki/documents/revocationList";

const FINGERPRINT = "0a".repeat(32);
const LIST: RevocationList = {
  number: 7,
  issuedAtMs: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  revoked: [
    { serial: "0F", keyFingerprint: FINGERPRINT, role: "operator", name: "ann", atMs: 0 },
    { serial: "A1", keyFingerprint: "0b".repeat(32), role: "minion", name: "web-1.x", atMs: 1 },
  ],
};

let home: string;
let authority: CertificateAuthority;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "func-list-"));
  authority = await CertificateAuthority.create(join(home, "ca"), "lab");
  await mkdir(join(home, "pki"));
  await writeFile(join(home, "pki", "ca.crt"), authority.certificatePem);
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function revoked(role: Role, name: string): Promise<Identity> {
  const { publicKey } = await generateKey();
  const { record } = await authority.issue({ role, name, publicKey });
  await authority.revoke({ names: [name], role, reason: "" });
  return { role, name, keyFingerprint: record.keyFingerprint };
}

const signedPart = (document: string): string => document.slice(0, document.indexOf("signature "));

function isSigned(document: string): boolean {
  try {
    return verifyRevocationList(document, trusted()).number > 0;
  } catch {
    return false;
  }
}

const trusted = (): X509Certificate[] => [new X509Certificate(authority.certificatePem)];
const open = (): Promise<Revocations> => Revocations.open(join(home, "pki"), silentLog);

describe("the signed list", () => {
  it("is lines of text, signed as a whole", () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const { document } = signRevocationList(LIST, [privateKey]);
    const [signature] = document.split("\n").slice(-2);
    expect(document.slice(0, document.indexOf("signature"))).toBe(
      "func-revocations 1\nnumber 7\nissued 2026-01-02T03:04:05.006Z\n" +
        `revoked 0F ${FINGERPRINT} operator ann 1970-01-01T00:00:00.000Z\n` +
        `revoked A1 ${"0b".repeat(32)} minion web-1.x 1970-01-01T00:00:00.001Z\n`,
    );
    expect(signature).toMatch(/^signature [0-9a-f]{64} \S+$/);
  });

  it("is read by whoever trusts one of its signers", () => {
    const list = authority.revocationList();
    expect(verifyRevocationList(list.document, trusted())).toEqual(list);
    const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    const { document } = signRevocationList(LIST, [other]);
    const both = document + list.document.slice(list.document.indexOf("signature"));
    for (const one of [document, both]) {
      expect(() => verifyRevocationList(one, trusted())).toThrow(
        expect.objectContaining({ reason: "denied" }),
      );
    }
  });

  it("is refused with any byte changed, added or missing", async () => {
    await revoked("operator", "ann");
    await revoked("minion", "web1");
    const { document } = authority.revocationList();
    const wrong = new Set([
      "",
      "\n",
      `${document}\n`,
      ` ${document}`,
      document.trimEnd(),
      document.replaceAll("\n", "\r\n"),
      document.replace("number 2", "number 02"),
      document.replace("number 2", "number 3"),
      document.replace(/revoked .*\n/, ""),
      document.replace(/(revoked .*\n)(revoked .*\n)/, "$2$1"),
      document.replace(/signature .*\n/, ""),
    ]);
    for (let at = 0; at < document.length; at++) {
      const other = document[at] === "0" ? "1" : "0";
      wrong.add(document.slice(0, at) + other + document.slice(at + 1));
      wrong.add(document.slice(0, at) + document.slice(at + 1));
    }
    for (const one of wrong) {
      if (one === document) continue;
      // the last bits of base64 may mean nothing
      if (signedPart(one) === signedPart(document) && isSigned(one)) continue;
      expect(() => verifyRevocationList(one, trusted())).toThrow();
    }
  });
});

describe("the minion's list", () => {
  const overlord: Identity = { role: "overlord", name: "boss", keyFingerprint: "0c".repeat(32) };
  const operator: Identity = { ...overlord, role: "operator", name: "bob" };
  const file = (): string => join(home, "pki", "revocations.json");

  it("refuses nobody before there is one", async () => {
    const revocations = await open();
    expect(revocations.status()).toMatchObject({ number: 0, revoked: 0, damage: undefined });
    revocations.check(overlord);
    revocations.check(operator);
    expect(revocations.holdsBack("command.run")).toBe(false);
  });

  it("counts at once, and after a restart, for the key under any name or role", async () => {
    const ann = await revoked("operator", "ann");
    const revocations = await open();
    let told = 0;
    revocations.onApplied(() => told++);
    expect(await revocations.set(authority.revocationList().document)).toBe(1);
    expect(told).toBe(1);
    for (const one of [revocations, await open()]) {
      expect(one.status().number).toBe(1);
      for (const who of [ann, { ...ann, name: "eve" }, { ...ann, role: "overlord" } as const]) {
        expect(() => one.check(who)).toThrow(/revoked since/);
      }
      one.check({ ...ann, keyFingerprint: FINGERPRINT });
    }
  });

  it("never goes back to an older list, nor to another CA's", async () => {
    await revoked("operator", "ann");
    const old = authority.revocationList().document;
    const bob = await revoked("operator", "bob");
    const revocations = await open();
    await revocations.set(authority.revocationList().document);
    await revocations.set(authority.revocationList().document); // the same again
    await expect(revocations.set(old)).rejects.toMatchObject({ reason: "conflict" });
    const stranger = await CertificateAuthority.create(join(home, "other"), "other");
    await expect(revocations.set(stranger.revocationList().document)).rejects.toMatchObject({
      reason: "denied",
    });
    for (const one of [revocations, await open()]) {
      expect(one.status().number).toBe(2);
      expect(() => one.check(bob)).toThrow(/revoked/);
    }
  });

  it("is taken again once another CA signs it too, and no other one of that number", async () => {
    const keys: KeyObject[] = [];
    for (const name of ["ca", "next"]) {
      await CertificateAuthority.create(join(home, name), name);
      keys.push(createPrivateKey(await readFile(join(home, name, "ca.key"), "utf8")));
    }
    const next = await readFile(join(home, "next", "ca.crt"), "utf8");
    const [present] = keys;
    const now = Date.now();
    const entry = (name: string, sign: string): RevokedCertificate => {
      return { serial: "A1", keyFingerprint: sign.repeat(32), role: "minion", name, atMs: now };
    };
    const [ann, web, eve] = [entry("ann", "0a"), entry("web", "0b"), entry("eve", "0c")];
    const list = { number: 7, issuedAtMs: now, revoked: [ann, web] };
    const revocations = await open();
    await revocations.set(signRevocationList(list, present ? [present] : []).document);
    // other bytes, and in another order, but the same keys
    const both = { ...list, issuedAtMs: now + 1, revoked: [web, ann] };
    expect(await revocations.set(signRevocationList(both, keys).document)).toBe(7);
    await writeFile(join(home, "pki", "ca.crt"), next);
    expect((await open()).status()).toMatchObject({ number: 7, damage: undefined });
    await writeFile(join(home, "pki", "ca.crt"), authority.certificatePem + next);
    for (const [number, revoked, why] of [
      [7, [ann], /lacks minion web/],
      [7, [ann, eve], /lacks minion web/],
      [8, [ann, eve], /lacks minion web/],
      [7, [ann, web, eve], /is another one/],
    ] as const) {
      const other = signRevocationList({ ...both, number, revoked: [...revoked] }, keys);
      await expect(revocations.set(other.document)).rejects.toThrow(why);
    }
    expect(revocations.status()).toMatchObject({ number: 7, revoked: 2 });
  });

  it.each(["", "{}", '{"version":1,"document":"x"}', "cut"])(
    "that is damaged (%j) lets overlords alone in, to bring it again",
    async (damage) => {
      const ann = await revoked("operator", "ann");
      await (await open()).set(authority.revocationList().document);
      const text = await readFile(file(), "utf8");
      await writeFile(file(), damage === "cut" ? text.slice(0, -30) : damage);
      const revocations = await open();
      expect(revocations.status().damage).toBeDefined();
      revocations.check(overlord);
      expect(() => revocations.check(operator)).toThrow(/damaged/);
      expect(revocations.holdsBack("command.run")).toBe(true);
      expect(revocations.holdsBack("async.test.ping")).toBe(true);
      expect(revocations.holdsBack("trust.set_revocations")).toBe(false);
      await revocations.set(authority.revocationList().document);
      expect(revocations.holdsBack("command.run")).toBe(false);
      revocations.check(operator);
      expect(() => revocations.check(ann)).toThrow(/revoked/);
      expect((await open()).status()).toMatchObject({ number: 1, damage: undefined });
    },
  );

  it("takes no old list in the place of a damaged one", async () => {
    const keyPem = await readFile(join(home, "ca", "ca.key"), "utf8");
    const hour = 60 * 60_000;
    const old = signRevocationList({ ...LIST, issuedAtMs: Date.now() - 2 * hour }, [
      createPrivateKey(keyPem),
    ]);
    await writeFile(file(), "damaged");
    const revocations = await open();
    await expect(revocations.set(old.document)).rejects.toMatchObject({ reason: "conflict" });
    expect(revocations.holdsBack("test.ping")).toBe(true);
  });

  it("counts even where it cannot be kept, and says so", async () => {
    const ann = await revoked("operator", "ann");
    const revocations = await open();
    await mkdir(join(file(), "in the way"), { recursive: true });
    await expect(revocations.set(authority.revocationList().document)).rejects.toMatchObject({
      reason: "unavailable",
      message: expect.stringContaining(file()) as string,
    });
    expect(() => revocations.check(ann)).toThrow(/revoked/);
  });
});

describe("a CA that comes from a backup", () => {
  it("takes over what its minions know and it has forgotten", async () => {
    const folder = join(home, "ca");
    await revoked("operator", "ann");
    const backup = await readFile(join(folder, "revoked.json"));
    const bob = await revoked("operator", "bob");
    const { document } = authority.revocationList();
    await writeFile(join(folder, "revoked.json"), backup);
    const restored = await CertificateAuthority.open(folder);
    expect(restored?.revocationOf(bob.keyFingerprint)).toBeUndefined();
    expect(await restored?.adoptRevocations(document)).toBe(true);
    expect(restored?.revocationNumber).toBe(3);
    expect(restored?.revocationOf(bob.keyFingerprint)).toBeDefined();
    expect(await restored?.adoptRevocations(document)).toBe(false);
  });
});
