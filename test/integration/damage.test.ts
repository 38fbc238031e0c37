import { createPrivateKey, X509Certificate } from "node:crypto";
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { FuncError } from "../../server/common/errors";
import { silentLog } from "../../server/common/log";
import { startMinion } from "../../server/minion/minion";
import {
  openNextKey,
  openPrivateKey,
  saveCredentials,
} from "../../server/minion/minionCredentials";
import { FleetCredentials } from "../../server/overlord/fleetCredentials";
import { Overlord } from "../../server/overlord/overlord";
import { CertificateAuthority } from "../../server/pki/authority/certificateAuthority";
import { createCsr, readCsr } from "../../server/pki/certificates/csr";
import { openOverlordCredentials } from "../../server/pki/authority/overlordCredentials";
import { Inventory } from "../../server/targets/inventory";
import { writeInventory } from "../../server/targets/inventoryFile";
import { MemorySpool } from "../fixtures/memorySpool";

let template: string;
let root: string;
let data: string;
let home: string;

beforeAll(async () => {
  template = await mkdtemp(join(tmpdir(), "func-whole-"));
  const inData = join(template, "data");
  const pki = join(template, "home", "pki");
  const authority = await CertificateAuthority.create(join(inData, "ca"), "test");
  const { publicKey } = readCsr(createCsr("web1", await openPrivateKey(pki)));
  const issued = await authority.issue({ role: "minion", name: "web1", publicKey });
  await saveCredentials(pki, { ca: authority.certificatePem, certificate: issued.certificatePem });
  await openNextKey(pki);
  await writeFile(
    join(template, "home", "minion.yaml"),
    "name: web1\nlisten: {host: 127.0.0.1, port: 0}\n",
  );
  await openOverlordCredentials(join(inData, "credentials"), authority, "boss");
  const gone = readCsr(createCsr("web2", (await keyOf(template)).pem)).publicKey;
  await authority.issue({ role: "minion", name: "web2", publicKey: gone });
  await authority.revoke({ names: ["web2"], role: "minion", reason: "a test" });
  await writeInventory(join(inData, "inventory.json"), [
    {
      name: "web1",
      address: "127.0.0.1",
      port: 1,
      state: "unknown",
      enrolledAtMs: 1,
      keyFingerprint: issued.record.keyFingerprint,
      certificateSerial: issued.record.serial,
      certificateNotAfterMs: issued.record.notAfterMs,
    },
  ]);
  await chmod(template, 0o700);
  await chmod(join(template, "home"), 0o700);
});
afterAll(() => rm(template, { recursive: true, force: true }));

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "func-damage-"));
  await cp(template, root, { recursive: true });
  data = join(root, "data");
  home = join(root, "home");
  for (const folder of [data, home]) await chmod(folder, 0o700);
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function keyOf(folder: string): Promise<{ pem: string }> {
  return { pem: await openPrivateKey(join(folder, "other")) };
}

async function startOverlord(): Promise<void> {
  const overlord = await Overlord.start({ dataDirectory: data, version: "0", log: silentLog });
  await overlord?.close("the test is over");
}

async function serve(): Promise<void> {
  const minion = await startMinion({ home, log: silentLog });
  await minion.close();
}

async function failure(start: () => Promise<unknown>): Promise<FuncError | undefined> {
  try {
    await start();
    return undefined;
  } catch (error) {
    if (error instanceof FuncError) return error;
    throw error;
  }
}

type Damage = (file: string) => Promise<void>;
const DAMAGES: Record<string, Damage> = {
  truncated: async (file) => {
    const content = await readFile(file);
    await writeFile(file, content.subarray(0, content.length / 2));
  },
  empty: (file) => writeFile(file, ""),
  "a folder in its place": async (file) => {
    await rm(file);
    await mkdir(file);
  },
};

function flip(at: number): Damage {
  return async (file) => {
    const content = await readFile(file);
    const index = Math.floor(content.length * at);
    content[index] = (content[index] ?? 0) ^ 1;
    await writeFile(file, content);
  };
}
const FLIPS = Array.from({ length: 40 }, (_, index) => (index + 0.5) / 40);

function clear(error: FuncError | undefined, file: string): void {
  expect(error?.reason).toBe("bad-data");
  expect(error?.message).toContain(file);
  expect(error?.nextStep).toMatch(/[Rr]estore|chmod|[Rr]emove/);
}

describe.each([
  ["ca/ca.key", startOverlord],
  ["ca/ca.crt", startOverlord],
  ["ca/issued.json", startOverlord],
  ["ca/revoked.json", startOverlord],
  ["inventory.json", startOverlord],
])("the overlord's %s", (name, start) => {
  it("is fine at first", start);

  it.each(Object.entries(DAMAGES))("%s", async (_what, damage) => {
    const file = join(data, name);
    await damage(file);
    clear(await failure(start), file);
    // neither a second attempt nor a token makes anything new
    clear(await failure(start), file);
    const ca = join(data, "ca", "ca.crt");
    if (file !== ca) expect(await readFile(ca)).toEqual(await readFile(originalOf(ca)));
  });

  it("with any bit flipped is refused, or means what it meant", async () => {
    let refused = 0;
    for (const at of FLIPS) {
      const file = join(data, name);
      await cp(originalOf(file), file);
      await flip(at)(file);
      const error = await failure(start);
      if (error) {
        clear(error, file.replace(/\/ca\/.*/, "/ca/"));
        refused++;
      } else {
        await sameMeaning(file);
      }
    }
    expect(refused).toBeGreaterThan(FLIPS.length / 2);
  });
});

function originalOf(file: string): string {
  return file.replace(root, template);
}

/** The flipped bit is one that nobody reads, as a line end in PEM. */
async function sameMeaning(file: string): Promise<void> {
  const [now, before] = [await readFile(file, "utf8"), await readFile(originalOf(file), "utf8")];
  if (file.endsWith(".crt")) {
    expect(new X509Certificate(now).raw.equals(new X509Certificate(before).raw)).toBe(true);
  } else if (file.endsWith(".key")) {
    expect(createPrivateKey(now).equals(createPrivateKey(before))).toBe(true);
  } else {
    // the name of the checksum itself may be hit
    expect(listIn(now)).toEqual(listIn(before));
  }
}

function listIn(json: string): unknown {
  return Object.values(JSON.parse(json) as object).find(Array.isArray);
}

describe("private keys open to others", () => {
  it.each([
    ["data/ca/ca.key", startOverlord],
    ["home/pki/minion.key", serve],
  ])("%s", async (name, start) => {
    const file = join(root, name);
    await chmod(file, 0o644);
    const error = await failure(start);
    clear(error, file);
    expect(error?.message).toContain("0644");
    expect(error?.nextStep).toContain(`chmod 600 ${file}`);
    await chmod(file, 0o600);
    await start();
  });

  it("and one that belongs to another user", async () => {
    const file = join(data, "ca", "ca.key");
    const { uid } = await stat(file);
    // root can give a file away; for anybody else it is the process that is another
    const other = 12_345;
    if (uid === 0) await chown(file, other, other);
    else vi.spyOn(process, "getuid").mockReturnValue(other);
    const error = await failure(startOverlord);
    vi.restoreAllMocks();
    expect(error?.message).toContain(file);
    expect(error?.message).toMatch(/another user \(uid \d+/);
    expect(error?.nextStep).toContain("chown");
  });

  it("the overlord's own", async () => {
    const file = join(data, "credentials", "overlord.pem");
    await chmod(file, 0o644);
    clear(await failure(openOwn), file);
  });
});

async function openOwn(): Promise<string> {
  const authority = await CertificateAuthority.open(join(data, "ca"));
  if (!authority) throw new Error("no CA");
  return (await openOverlordCredentials(join(data, "credentials"), authority, "boss")).certificate;
}

describe("the overlord's own certificate", () => {
  it("is made anew where it is damaged, and else stays", async () => {
    const first = await openOwn();
    expect(await openOwn()).toBe(first);
    const file = join(data, "credentials", "overlord.pem");
    for (const damage of [DAMAGES["truncated"], DAMAGES["empty"], flip(0.1)]) {
      const before = await openOwn();
      await damage?.(file);
      expect(await openOwn()).not.toBe(before);
      expect((await stat(file)).mode & 0o777).toBe(0o600);
    }
    await DAMAGES["a folder in its place"]?.(file);
    clear(await failure(openOwn), file);
  });
});

describe("the CA's folder missing", () => {
  it("makes no new CA while minions have certificates of the old one", async () => {
    await rm(join(data, "ca"), { recursive: true });
    const inventory = await Inventory.open(join(data, "inventory.json"), silentLog);
    const credentials = new FleetCredentials(data, silentLog, new MemorySpool(), inventory);
    clear(await failure(() => credentials.open()), join(data, "ca"));
    clear(await failure(() => credentials.authority()), join(data, "ca"));
    await expect(stat(join(data, "ca"))).rejects.toThrow("ENOENT");
    await inventory.close();
  });
});

describe.each(["minion.key", "minion.crt", "ca.crt"])("the minion's %s", (name) => {
  it.each(Object.entries(DAMAGES))("%s", async (_what, damage) => {
    await damage(join(home, "pki", name));
    const error = await failure(serve);
    clear(error, join(home, "pki"));
    expect(error?.message).toContain(name);
  });

  it("with any bit flipped is refused, or means what it meant", async () => {
    const file = join(home, "pki", name);
    let refused = 0;
    for (const at of FLIPS) {
      await cp(originalOf(file), file);
      await flip(at)(file);
      const error = await failure(serve);
      if (error) {
        clear(error, join(home, "pki"));
        refused++;
      } else {
        await sameMeaning(file);
      }
    }
    expect(refused).toBeGreaterThan(FLIPS.length / 2);
  });
});

it("the minion's next key does not keep it from serving, however damaged", async () => {
  for (const damage of [...Object.values(DAMAGES), flip(0.5)]) {
    await cp(join(template, "home", "pki"), join(home, "pki"), { recursive: true });
    await damage(join(home, "pki", "minion.key.next"));
    await serve();
    await rm(join(home, "pki", "minion.key.next"), { recursive: true });
  }
});
