import { execFile } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CertificateAuthority } from "../../server/pki/authority/certificateAuthority";
import { identityOf } from "../../server/pki/certificates/identity";
import { generateKey } from "../../server/pki/certificates/keyFiles";
import { openOverlordCredentials } from "../../server/pki/authority/overlordCredentials";

let home: string;
let folder: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "func-ca-"));
  folder = join(home, "ca");
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function issue(authority: CertificateAuthority, name: string, days?: number) {
  const { publicKey } = await generateKey();
  return await authority.issue({ role: "minion", name, publicKey, days });
}

async function mode(file: string): Promise<number> {
  return (await stat(file)).mode & 0o777;
}

describe("the CA's folder", () => {
  it("is made on request only, for its owner only", async () => {
    expect(await CertificateAuthority.open(folder)).toBeUndefined();
    await expect(stat(folder)).rejects.toThrow("ENOENT");
    await CertificateAuthority.create(folder, "lab");
    expect(await mode(folder)).toBe(0o700);
    for (const file of ["ca.key", "ca.crt", "issued.json"]) {
      expect(await mode(join(folder, file))).toBe(0o600);
    }
    expect((await readdir(folder)).sort()).toEqual(["ca.crt", "ca.key", "issued.json"]);
  });

  it("holds one CA even where several are made at once", async () => {
    const made = await Promise.all(
      Array.from({ length: 8 }, () => CertificateAuthority.create(folder, "lab")),
    );
    expect(new Set(made.map((authority) => authority.fingerprint)).size).toBe(1);
    expect((await CertificateAuthority.open(folder))?.fingerprint).toBe(made[0]?.fingerprint);
    expect((await readdir(folder)).length).toBe(3);
  });

  it("keeps the list over a restart", async () => {
    const authority = await CertificateAuthority.create(folder, "lab");
    const { record } = await issue(authority, "web1");
    const again = await CertificateAuthority.open(folder);
    expect(again?.list()).toEqual([record]);
    expect(again?.liveMinion("web1")).toEqual(record);
  });

  it("loses no record of certificates issued at once, by several objects too", async () => {
    const one = await CertificateAuthority.create(folder, "lab");
    const other = await CertificateAuthority.create(folder, "lab");
    const issued = await Promise.all(
      Array.from({ length: 60 }, (_, i) => issue(i % 2 === 0 ? one : other, `web${i}`)),
    );
    const serials = new Set(issued.map(({ record }) => record.serial));
    const kept = (await CertificateAuthority.open(folder))?.list() ?? [];
    expect(new Set(kept.map(({ serial }) => serial))).toEqual(serials);
  });

  it("completes a creation that was interrupted", async () => {
    const first = await CertificateAuthority.create(folder, "lab");
    await rm(join(folder, "ca.crt"));
    expect(await CertificateAuthority.open(folder)).toBeUndefined();
    const second = await CertificateAuthority.create(folder, "lab");
    expect(
      new X509Certificate(second.certificatePem).publicKey.equals(
        new X509Certificate(first.certificatePem).publicKey,
      ),
    ).toBe(true);
  });

  it.each(["ca.key", "ca.crt", "issued.json"])(
    "names %s where it is damaged or missing",
    async (file) => {
      const authority = await CertificateAuthority.create(folder, "lab");
      await issue(authority, "web1");
      const path = join(folder, file);
      for (const damage of ["", "garbage", '{"version":1,"certificates":[{}]}']) {
        await writeFile(path, damage);
        const error: unknown = await CertificateAuthority.open(folder).catch((e: unknown) => e);
        expect(error).toMatchObject({ name: "FuncError", reason: "bad-data" });
        expect((error as Error).message).toContain(path);
        await expect(CertificateAuthority.create(folder, "lab")).rejects.toThrow(path);
      }
      await rm(path);
      await expect(CertificateAuthority.open(folder)).rejects.toThrow(`${path} is missing`);
      await expect(CertificateAuthority.create(folder, "lab")).rejects.toThrow(
        `${path} is missing`,
      );
    },
  );

  it("refuses a key that is not the certificate's", async () => {
    await CertificateAuthority.create(folder, "lab");
    await writeFile(join(folder, "ca.key"), (await generateKey()).privateKeyPem);
    await expect(CertificateAuthority.open(folder)).rejects.toThrow(join(folder, "ca.key"));
  });

  it("gives no certificate out that could not be noted", async () => {
    const authority = await CertificateAuthority.create(folder, "lab");
    await writeFile(join(folder, "issued.json"), "damaged by hand");
    await expect(issue(authority, "web1")).rejects.toThrow(join(folder, "issued.json"));
    expect(authority.list()).toEqual([]);
  });

  it("outlives kill -9 while it issues", async () => {
    await CertificateAuthority.create(folder, "lab");
    const script = `
      import { CertificateAuthority } from ${JSON.stringify(join(process.cwd(), "server/pki/authority/certificateAuthority.ts"))};
      import { generateKey } from ${JSON.stringify(join(process.cwd(), "server/pki/certificates/keyFiles.ts"))};
      const main = async () => {
        const authority = await CertificateAuthority.open(process.argv[2]);
        for (let i = 0; ; i++) {
          const { publicKey } = await generateKey();
          await authority.issue({ role: "minion", name: "web" + i, publicKey });
          if (i === 20) process.kill(process.pid, "SIGKILL");
        }
      };
      void main();`;
    const source = join(home, "issue.ts");
    const bundle = join(home, "issue.cjs");
    await writeFile(source, script);
    const run = promisify(execFile);
    await run(join(process.cwd(), "node_modules/.bin/esbuild"), [
      source,
      "--bundle",
      "--platform=node",
      `--outfile=${bundle}`,
    ]);
    await expect(run(process.execPath, [bundle, folder])).rejects.toMatchObject({
      signal: "SIGKILL",
    });
    const list = (await CertificateAuthority.open(folder))?.list();
    expect(list?.length).toBe(21);
  });
});

describe("a minion's name", () => {
  it("is free again once released, or withdrawn, or expired", async () => {
    const authority = await CertificateAuthority.create(folder, "lab");
    const { record } = await issue(authority, "web1");
    expect(authority.liveMinion("web1")).toEqual(record);
    await authority.release("WEB1");
    expect(authority.liveMinion("web1")).toBeUndefined();
    expect(authority.list()).toEqual([record]);
    expect((await CertificateAuthority.open(folder))?.liveMinion("web1")).toBeUndefined();

    const second = await issue(authority, "web1");
    const third = await issue(authority, "web1");
    expect(authority.liveMinion("web1")).toEqual(third.record);
    await authority.withdraw(third.record);
    expect(authority.liveMinion("web1")).toEqual(second.record);
    await authority.release("nobody");

    const brief = await issue(authority, "web2", 0.5 / 86_400); // ends within the second
    expect(brief.record.notAfterMs).toBeLessThanOrEqual(Date.now() + 1000);
    await new Promise((resolve) =>
      setTimeout(resolve, Math.max(brief.record.notAfterMs - Date.now(), 0) + 5),
    );
    expect(authority.liveMinion("web2")).toBeUndefined();
  });

  it("drops what expired long ago from the list", async () => {
    const authority = await CertificateAuthority.create(folder, "lab");
    const { record } = await issue(authority, "web1");
    const old = { ...record, name: "old", notAfterMs: Date.now() - 91 * 86_400_000 };
    await writeFile(
      join(folder, "issued.json"),
      JSON.stringify({ version: 1, certificates: [old, record] }),
    );
    await issue(authority, "web2");
    expect(await readFile(join(folder, "issued.json"), "utf8")).not.toContain('"old"');
  });
});

describe("the overlord's own credentials", () => {
  const open = (authority: CertificateAuthority, name = "boss") =>
    openOverlordCredentials(home, authority, name);

  it("are made once and are not the CA's", async () => {
    const authority = await CertificateAuthority.create(folder, "lab");
    const first = await open(authority);
    expect(await open(authority)).toEqual(first);
    const certificate = new X509Certificate(first.certificate);
    expect(certificate.checkPrivateKey(createPrivateKey(first.key))).toBe(true);
    expect(identityOf(certificate)).toMatchObject({ role: "overlord", name: "boss" });
    expect(first.ca).toBe(authority.certificatePem);
    expect(await readFile(join(folder, "ca.key"), "utf8")).not.toBe(first.key);
    expect(await mode(join(home, "overlord.pem"))).toBe(0o600);
  });

  it("are renewed after 2/3 of their life, not before", async () => {
    const authority = await CertificateAuthority.create(folder, "lab");
    const file = join(home, "overlord.pem");
    const { privateKeyPem, publicKey } = await generateKey();
    // begins 5 minutes in the past: 4 minutes ahead are less than 2/3 over, 1 minute is more
    const { certificatePem: old } = await authority.issue({
      role: "overlord",
      name: "boss",
      publicKey,
      days: 1 / 1440,
    });
    await writeFile(file, privateKeyPem + old, { mode: 0o600 });
    expect((await open(authority)).certificate).not.toBe(old);
    const { certificatePem: fresh } = await authority.issue({
      role: "overlord",
      name: "boss",
      publicKey,
      days: 1,
    });
    await writeFile(file, privateKeyPem + fresh, { mode: 0o600 });
    expect((await open(authority)).certificate).toBe(fresh);
  });

  it("are made anew for another name, another CA, or where they are damaged", async () => {
    const authority = await CertificateAuthority.create(folder, "lab");
    const first = await open(authority);
    expect(
      identityOf(new X509Certificate((await open(authority, "chief")).certificate))?.name,
    ).toBe("chief");
    const other = await CertificateAuthority.create(join(home, "other"), "lab");
    const moved = await open(other);
    expect(
      new X509Certificate(moved.certificate).verify(
        new X509Certificate(other.certificatePem).publicKey,
      ),
    ).toBe(true);
    const whole = await readFile(join(home, "overlord.pem"), "utf8");
    for (const damage of ["", "x", whole.slice(0, 300), whole.replace(/PRIVATE/g, "PUBLIC")]) {
      await writeFile(join(home, "overlord.pem"), damage);
      const made = await open(other);
      expect(
        new X509Certificate(made.certificate).checkPrivateKey(createPrivateKey(made.key)),
      ).toBe(true);
    }
    expect(first.certificate).not.toBe(moved.certificate);
  });
});
