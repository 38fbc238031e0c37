import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLog } from "../../server/common/log";
import { Authorities, completeAuthorities } from "../../server/minion/authorities";
import { readCredentials, type MinionCredentials } from "../../server/minion/minionCredentials";
import { readAuthoritiesDocument } from "../../server/pki/documents/authoritiesDocument";
import { readAuthority } from "../../server/pki/authority/authorityFiles";
import { CertificateAuthority } from "../../server/pki/authority/certificateAuthority";
import { generateKey } from "../../server/pki/certificates/keyFiles";
import { writeRotation } from "../../server/pki/authority/rotationFile";
import { SerialQueue } from "../../server/common/serialQueue";

let home: string;
let folder: string;
let authority: CertificateAuthority;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "func-authorities-"));
  folder = join(home, "ca");
  authority = await CertificateAuthority.create(folder, "boss");
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function opened(): Promise<CertificateAuthority> {
  const found = await CertificateAuthority.open(folder);
  if (!found) throw new Error("no CA");
  return found;
}

describe("the list of CAs", () => {
  it("counts where a CA that is trusted has signed it, as it is", async () => {
    await authority.startRotation("boss", undefined);
    const { document, trusted } = authority.rotation;
    const [present, next] = trusted;
    expect(present && readAuthoritiesDocument(document, [present])).toMatchObject({ number: 1 });
    expect(() => readAuthoritiesDocument(document, next && [next])).toThrow(/no valid signature/);
    const higher = document.replace("number 1", "number 2");
    expect(() => readAuthoritiesDocument(higher, trusted)).toThrow(/no valid signature/);
    for (const cut of [1, 30, document.length - 10]) {
      expect(() => readAuthoritiesDocument(document.slice(0, -cut), trusted)).toThrow(
        /list of CAs/,
      );
    }
    expect(() => readAuthoritiesDocument(`${document}x\n`, trusted)).toThrow(/cannot be read/);
  });
});

describe("while the CA is replaced", () => {
  it("no host is taken in that can know the old one only", async () => {
    authority.rotation.refuseOld("web1");
    await authority.startRotation("boss", undefined);
    expect(() => {
      authority.rotation.refuseOld("web1");
    }).toThrow(/web1.*would be lost/);
    await authority.abortRotation();
    authority.rotation.refuseOld("web1");
  });
});

describe("a rotation that a crash ended", () => {
  it("in the middle of its start has not begun", async () => {
    await mkdir(join(folder, "next"), { mode: 0o700 });
    await writeFile(join(folder, "next", "ca.key"), "half a k", { mode: 0o600 });
    const again = await opened();
    expect(again.rotation.phase).toBeUndefined();
    await again.startRotation("boss", undefined);
    expect((await opened()).rotation).toMatchObject({ phase: "telling", number: 1 });
  });

  it.each(["before the files were replaced", "after the key", "after both", "in the removal"])(
    "in the middle of its end, %s, is brought to its end",
    async (moment) => {
      await authority.startRotation("boss", undefined);
      const next = (name: string): string => join(folder, "next", name);
      const { number, document, nextFingerprint } = authority.rotation;
      await writeRotation(folder, { phase: "finishing", number, document });
      const put = async (name: string): Promise<void> => {
        await writeFile(join(folder, name), await readFile(next(name)), { mode: 0o600 });
      };
      if (!moment.startsWith("before")) await put("ca.key");
      if (moment.endsWith("both") || moment.endsWith("removal")) await put("ca.crt");
      if (moment.endsWith("removal")) await rm(next("ca.crt"));
      const again = await opened();
      expect(again.fingerprint).toBe(nextFingerprint);
      expect(again.rotation.phase).toBeUndefined();
      expect(again.rotation.isSpread).toBe(false);
      await expect(stat(join(folder, "next"))).rejects.toThrow("ENOENT");
      const { publicKey } = await generateKey();
      await again.issue({ role: "minion", name: "web1", publicKey });
    },
  );

  it("is not guessed where a file of it is damaged or gone", async () => {
    await authority.startRotation("boss", undefined);
    await authority.rotation.renew();
    const { publicKey } = await generateKey();
    await authority.issue({ role: "minion", name: "web1", publicKey });
    const file = join(folder, "rotation.json");
    const content = await readFile(file, "utf8");
    await writeFile(file, content.replace("renewing", "telling"));
    await expect(readAuthority(folder)).rejects.toThrow(/rotation.json.*checksum/);
    await writeFile(file, content.slice(0, 40));
    await expect(readAuthority(folder)).rejects.toThrow(/rotation.json.*damaged/);
    await rm(file);
    await expect(readAuthority(folder)).rejects.toThrow(/rotation.json.*missing/);
    await writeFile(file, content);
    await rm(join(folder, "next", "ca.key"));
    await expect(readAuthority(folder)).rejects.toThrow(/next.ca.key is missing/);
  });
});

describe("a minion's CAs", () => {
  let pkiFolder: string;
  let present: MinionCredentials | undefined;
  let authorities: Authorities;

  beforeEach(async () => {
    pkiFolder = join(home, "pki");
    const { privateKeyPem, publicKey } = await generateKey();
    const issued = await authority.issue({ role: "minion", name: "web1", publicKey });
    await mkdir(pkiFolder, { mode: 0o700 });
    await writeFile(join(pkiFolder, "minion.key"), privateKeyPem, { mode: 0o600 });
    await writeFile(join(pkiFolder, "minion.crt"), issued.certificatePem);
    await writeFile(join(pkiFolder, "ca.crt"), authority.certificatePem);
    present = await readCredentials(pkiFolder);
    authorities = new Authorities({
      pkiFolder,
      present: () => present,
      use: (next) => (present = next),
      revocationList: () => "",
      queue: new SerialQueue(),
      log: silentLog,
    });
  });

  it("change with a newer list, and not back", async () => {
    await authority.startRotation("boss", undefined);
    const first = authority.rotation.document;
    expect(await authorities.set(first)).toBe(1);
    expect(await authorities.set(first)).toBe(1);
    expect(present?.ca).toBe(authority.rotation.trustedPem);
    expect(await readCredentials(pkiFolder)).toEqual(present);
    await authority.abortRotation();
    expect(await authorities.set(authority.rotation.document)).toBe(2);
    expect(present?.ca).toBe(authority.certificatePem);
    await expect(authorities.set(first)).rejects.toThrow(/older than 2/);
    expect(present?.ca).toBe(authority.certificatePem);
  });

  it("are never such that its own certificate would be of no use, or a stranger's", async () => {
    const stranger = await CertificateAuthority.create(join(home, "stranger"), "boss");
    await stranger.startRotation("boss", undefined);
    await expect(authorities.set(stranger.rotation.document)).rejects.toThrow(/signature/);
    await authority.startRotation("boss", undefined);
    await authorities.set(authority.rotation.document);
    await authority.finishRotation();
    await expect(authorities.set(authority.rotation.document)).rejects.toThrow(/renewed first/);
    expect(await authorities.number()).toBe(1);
  });

  it("are what the list says, also where a crash came between its two files", async () => {
    await authority.startRotation("boss", undefined);
    await authorities.set(authority.rotation.document);
    await writeFile(join(pkiFolder, "ca.crt"), authority.certificatePem);
    await completeAuthorities(pkiFolder, silentLog);
    expect((await readCredentials(pkiFolder))?.ca).toBe(authority.rotation.trustedPem);
    // a damaged list stops nothing, and is sent again
    await writeFile(join(pkiFolder, "authorities.json"), "{");
    await completeAuthorities(pkiFolder, silentLog);
    expect(await authorities.number()).toBe(0);
    expect(await authorities.set(authority.rotation.document)).toBe(1);
  });
});
