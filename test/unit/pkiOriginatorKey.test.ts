import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isMinionName } from "../../server/common/minionName";
import { openOriginatorKey, originatorName } from "../../server/pki/authority/originatorKey";
import { backUp } from "../../server/pki/backup/dataBackup";
import { unpackBackup } from "../../server/pki/backup/backupFile";
import { keyFingerprint } from "../../server/pki/certificates/identity";

let data: string;
let folder: string;

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "originator-"));
  folder = join(data, "credentials");
});

afterEach(async () => {
  await rm(data, { recursive: true, force: true });
});

describe("the originator's key", () => {
  it("is made once, for its owner alone, and stays", async () => {
    const key = await openOriginatorKey(folder);
    expect(key.asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
    const file = join(folder, "originator.pem");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(keyFingerprint(await openOriginatorKey(folder))).toBe(keyFingerprint(key));
  });

  it("is not replaced where it is damaged, or open to others", async () => {
    await openOriginatorKey(folder);
    const file = join(folder, "originator.pem");
    const pem = await readFile(file, "utf8");
    await writeFile(file, pem.slice(0, 100));
    await expect(openOriginatorKey(folder)).rejects.toMatchObject({
      reason: "bad-data",
      nextStep: expect.stringContaining("from a backup") as string,
    });
    await writeFile(file, pem);
    await chmod(file, 0o644);
    await expect(openOriginatorKey(folder)).rejects.toThrow("open to other users");
  });

  it("gives overlords of one machine names of their own", async () => {
    const name = originatorName("top.example.org", await openOriginatorKey(folder));
    const other = await openOriginatorKey(join(data, "other"));
    expect(name).toMatch(/^top\.example\.org-[0-9a-f]{8}$/);
    expect(isMinionName(name)).toBe(true);
    expect(originatorName("top.example.org", other)).not.toBe(name);
  });

  it("is part of a backup", async () => {
    await openOriginatorKey(folder);
    const file = join(data, "..", `${data.split("/").at(-1) ?? ""}.backup`);
    try {
      await backUp(data, undefined, { file });
      const files = await unpackBackup(await readFile(file), undefined);
      expect(files.map(({ path }) => path)).toEqual(["credentials/originator.pem"]);
    } finally {
      await rm(file, { force: true });
    }
  });
});
