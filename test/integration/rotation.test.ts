import { execFileSync } from "node:child_process";
import { createHash, randomInt, X509Certificate } from "node:crypto";
import { copyFile, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { MinionResult } from "../../server/protocol/jobs";
import type { CertmasterList } from "../../server/protocol/certmaster";
import { until } from "../fixtures/overlordBundle";
import { RealFleet } from "../fixtures/realFleet";

const PING =
  "<?xml version='1.0'?><methodCall><methodName>test.ping</methodName><params/></methodCall>";

let fleet: RealFleet;

beforeEach(async () => {
  fleet = await RealFleet.create();
});
afterEach(() => fleet.close());

async function list(): Promise<CertmasterList> {
  return (await fleet.connection()).request("certmaster/list", {});
}

async function rotate(
  action: "start" | "finish" | "abort",
  more: { without?: string[]; passphrase?: string } = {},
): Promise<CertmasterList> {
  return (await fleet.connection()).request("certmaster/rotate", { action, ...more });
}

async function allRenewed(): Promise<void> {
  await until(async () => {
    await (await fleet.connection()).request("certmaster/renew", {});
    const { rotation } = await list();
    return rotation?.missing.length === 0 && rotation.untold.length === 0;
  });
}

function failures(results: Map<string, MinionResult>): MinionResult[] {
  return [...results.values()].filter(({ state }) => state !== "succeeded");
}

function pki(name: string, file: string): string {
  return join(fleet.home(name), "pki", file);
}

function openssl(...args: string[]): string {
  return execFileSync("openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** A request on a connection that is kept open; `again` sends another on it. */
async function hold(port: number, pem: string): Promise<{ again: () => Promise<string> }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, key: pem, cert: pem });
  const again = (): Promise<string> =>
    new Promise((resolve) => {
      const options = { host: "127.0.0.1", port, method: "POST", agent, rejectUnauthorized: false };
      const asked = request(options, (response) => {
        let answer = "";
        response.on("data", (chunk: Buffer) => (answer += chunk.toString()));
        response.on("end", () => {
          resolve(answer);
        });
      });
      asked.on("error", (error) => {
        resolve(String(error));
      });
      asked.end(PING);
    });
  expect(await again()).toContain("methodResponse");
  return { again };
}

/** What a client with this certificate gets from a minion: its answer, or how the connection ended. */
async function knock(port: number, pem: string): Promise<string> {
  const body = PING;
  return await new Promise((resolve) => {
    let answer = "";
    const socket = connect(
      { host: "127.0.0.1", port, key: pem, cert: pem, rejectUnauthorized: false },
      () => {
        socket.write(
          `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
        );
      },
    );
    socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
    socket.on("error", (error) => (answer += String(error)));
    socket.on("close", () => {
      resolve(answer);
    });
  });
}

describe("replacing the CA", () => {
  it("under load fails no call, and ends with the old CA refused everywhere", async () => {
    const names = ["web1", "web2", "db1"];
    await fleet.add(...names);
    const connection = await fleet.connection();
    await fleet.call("test", "ping");
    // a revocation list that the old CA has signed must not stand in the way
    await fleet.add("gone");
    await connection.request("certmaster/revoke", { names: ["gone"], reason: "test" });
    await connection.request("minions/forget", { names: ["gone"] });
    await fleet.stopMinion("gone");
    const oldCa = await readFile(join(fleet.data, "ca", "ca.crt"), "utf8");
    const oldOwn = await readFile(join(fleet.data, "credentials", "overlord.pem"), "utf8");
    await copyFile(pki("web1", "minion.crt"), join(fleet.root, "old-web1.crt"));
    const { port } = await fleet.record("web1");
    expect(await knock(port, oldOwn)).toContain("methodResponse");

    const held = await hold(port, oldOwn);

    const failed: MinionResult[] = [];
    let answered = 0;
    const load = { over: false };
    const loop = async (module: string, method: string, args: string[]): Promise<void> => {
      while (!load.over) {
        const results = await fleet.call(module, method, args, "web*;db1");
        failed.push(...failures(results));
        answered += results.size;
      }
    };
    const loops = [
      loop("test", "echo", ["x"]),
      loop("test", "echo", ["y"]),
      loop("command", "run", ["sleep 0.7"]), // begun under one CA, answered under the next
      loop("jobs", "job_status", ["none"]),
    ];
    const before = (await list()).caFingerprint;
    const started = await rotate("start");
    expect(started.caFingerprint).toBe(before);
    await allRenewed();
    const { rotation } = await list();
    expect(rotation).toMatchObject({ phase: "renewing", told: 3, untold: [], missing: [] });
    await until(async () => {
      const own = await readFile(join(fleet.data, "credentials", "overlord.pem"), "utf8");
      return own !== oldOwn;
    });
    const finished = await rotate("finish");
    expect(finished.rotation).toBeUndefined();
    expect(finished.caFingerprint).toBe(rotation?.newFingerprint);
    await sleep(500);
    load.over = true;
    await Promise.all(loops);
    expect(failed).toEqual([]);
    expect(answered).toBeGreaterThan(20);

    const newCaFile = join(fleet.data, "ca", "ca.crt");
    const newCa = await readFile(newCaFile, "utf8");
    expect(newCa).not.toBe(oldCa);
    await expect(stat(join(fleet.data, "ca", "next"))).rejects.toThrow("ENOENT");
    for (const name of names) {
      expect(await readFile(pki(name, "ca.crt"), "utf8")).toBe(newCa);
      expect(openssl("verify", "-CAfile", newCaFile, pki(name, "minion.crt"))).toContain(": OK");
    }
    const crl = join(fleet.root, "crl.pem");
    await writeFile(crl, (await connection.request("certmaster/crl", {})).pem);
    const checked = ["-crl_check", "-CRLfile", crl, "-CAfile", newCaFile];
    expect(openssl("verify", ...checked, pki("web2", "minion.crt"))).toContain(": OK");
    expect(() =>
      openssl("verify", "-CAfile", newCaFile, join(fleet.root, "old-web1.crt")),
    ).toThrow();
    // the old overlord's certificate, which is neither expired nor revoked
    expect(await knock(port, oldOwn)).not.toContain("methodResponse");
    expect(await held.again()).not.toContain("<boolean>");
    const newOwn = await readFile(join(fleet.data, "credentials", "overlord.pem"), "utf8");
    expect(await knock(port, newOwn)).toContain("methodResponse");

    // after a restart of all, still
    await fleet.stopAll();
    for (const name of names) await fleet.startMinion(name);
    expect(failures(await fleet.call("test", "ping", [], "web*;db1"))).toEqual([]);
    // a host that joins now gets the new one alone
    await fleet.add("web3");
    expect(await readFile(pki("web3", "ca.crt"), "utf8")).toBe(newCa);
    expect(failures(await fleet.call("test", "ping", [], "web3"))).toEqual([]);
  });

  it("takes along who was away, and whoever joins meanwhile, and loses nobody without being told", async () => {
    await fleet.add("web1", "away");
    await fleet.call("test", "ping");
    await fleet.stopMinion("away");
    const { rotation } = await rotate("start");
    expect(rotation?.untold).toContain("away");
    await until(async () => {
      await (await fleet.connection()).request("certmaster/renew", {});
      return (await list()).rotation?.missing.join() === "away";
    });
    await expect(rotate("finish")).rejects.toThrow(/1 minion has no certificate.*away/);
    await expect(rotate("abort")).rejects.toThrow(/has issued certificates already/);
    await expect(rotate("start")).rejects.toThrow(/being replaced already/);

    await fleet.add("late");
    expect((await readFile(pki("late", "ca.crt"), "utf8")).match(/BEGIN/g)).toHaveLength(2);
    expect(failures(await fleet.call("test", "ping", [], "late"))).toEqual([]);

    // as after a copy of the data directory: a backup holds both keys
    await fleet.startMinion("away");
    expect(failures(await fleet.call("test", "ping"))).toEqual([]);
    await allRenewed();
    await rotate("finish");
    expect(failures(await fleet.call("test", "ping"))).toEqual([]);
    expect((await readFile(pki("away", "ca.crt"), "utf8")).match(/BEGIN/g)).toHaveLength(1);
  });

  it("lets the overlord revoke what it shows, old and new, and tells everybody of the revocations", async () => {
    await fleet.add("web1", "gone");
    await fleet.call("test", "ping");
    await rotate("start");
    await allRenewed();
    const own = async (): Promise<CertmasterList["certificates"]> =>
      (await list()).certificates.filter(({ role }) => role === "overlord");
    await until(async () => (await own()).length === 2);
    const before = await own();
    const shown = await Promise.all(
      ["overlord.pem", "overlord-former.pem"].map((file) =>
        readFile(join(fleet.data, "credentials", file), "utf8"),
      ),
    );
    const connection = await fleet.connection();
    await connection.request("certmaster/revoke", { names: ["gone"] });
    const result = await connection.request("certmaster/revoke", {
      names: [before[0]?.name ?? ""],
      role: "overlord",
    });
    expect(result).toMatchObject({ revocationNumber: 2, told: 1, untold: [] });
    expect(result.revoked.map(({ serial }) => serial)).toEqual(before.map(({ serial }) => serial));
    // both were replaced once, and neither of the new ones was revoked with the old
    expect((await own()).filter(({ revoked }) => !revoked)).toHaveLength(2);
    expect(await own()).toHaveLength(4);
    const { port } = await fleet.record("web1");
    for (const pem of shown) expect(await knock(port, pem)).not.toContain("methodResponse");
    expect(failures(await fleet.call("test", "ping", [], "web1"))).toEqual([]);

    // the same list, of the same number, now has to be signed by the new CA alone
    await connection.request("minions/forget", { names: ["gone"] });
    await rotate("finish");
    expect(failures(await fleet.call("test", "ping"))).toEqual([]);
    await fleet.stopOverlord();
    await fleet.stopMinion("web1");
    await fleet.startMinion("web1");
    expect(failures(await fleet.call("test", "ping"))).toEqual([]);
    for (const pem of shown) expect(await knock(port, pem)).not.toContain("methodResponse");
  });

  it("is finished without those that are given up, which are refused then", async () => {
    await fleet.add("web1", "lost");
    await fleet.call("test", "ping");
    await fleet.stopMinion("lost");
    await rotate("start");
    await until(async () => {
      await (await fleet.connection()).request("certmaster/renew", {});
      return (await list()).rotation?.missing.join() === "lost";
    });
    await rotate("finish", { without: ["lost"] });
    await fleet.startMinion("lost");
    const results = await fleet.call("test", "ping");
    expect(results.get("web1")?.state).toBe("succeeded");
    expect(results.get("lost")?.state).toBe("unreachable");
    expect(results.get("lost")?.error?.message).toMatch(/another CA/);
  });

  it("is taken back before the first certificate of the new CA", async () => {
    await fleet.add("web1");
    await fleet.call("test", "ping");
    const before = (await list()).caFingerprint;
    await fleet.stopMinion("web1");
    await rotate("start");
    const aborted = await rotate("abort");
    expect(aborted.rotation).toBeUndefined();
    expect(aborted.caFingerprint).toBe(before);
    await fleet.startMinion("web1");
    expect(failures(await fleet.call("test", "ping"))).toEqual([]);
    expect((await readFile(pki("web1", "ca.crt"), "utf8")).match(/BEGIN/g)).toHaveLength(1);
    await rotate("start");
    await allRenewed();
    await rotate("finish");
    expect(failures(await fleet.call("test", "ping"))).toEqual([]);
  });

  it("needs the CA's key, and keeps the new one encrypted with the same passphrase", async () => {
    await fleet.add("web1");
    await fleet.call("test", "ping");
    const connection = await fleet.connection();
    const passphrase = "correct horse";
    await connection.request("certmaster/setPassphrase", { next: passphrase });
    await expect(rotate("start")).rejects.toThrow(/passphrase/);
    await expect(rotate("start", { passphrase: "wrong horse" })).rejects.toThrow(/wrong/);
    await fleet.stopOverlord();
    await expect(rotate("start", { passphrase })).rejects.toThrow(/locked/);
    await (await fleet.connection()).request("certmaster/unlock", { passphrase });
    await rotate("start", { passphrase });
    const next = await readFile(join(fleet.data, "ca", "next", "ca.key"), "utf8");
    expect(next).toContain("ENCRYPTED");
    await fleet.stopOverlord();
    expect(failures(await fleet.call("test", "ping"))).toEqual([]);
    await expect(rotate("finish")).rejects.toThrow(/locked/);
    await (await fleet.connection()).request("certmaster/unlock", { passphrase });
    await allRenewed();
    await rotate("finish");
    expect(failures(await fleet.call("test", "ping"))).toEqual([]);
    await fleet.stopOverlord();
    expect((await list()).caState).toBe("locked");
    await (await fleet.connection()).request("certmaster/unlock", { passphrase });
    expect((await list()).caState).toBe("ready");
  });
});

describe("killing", () => {
  it("the overlord or a minion in any phase of a rotation loses no minion, and it goes on", async () => {
    const names = ["web1", "web2", "web3"];
    await fleet.add(...names);
    await fleet.call("test", "ping");
    const fingerprints = new Set<string>();
    for (let round = 0; round < 3; round++) {
      for (const action of ["start", "finish"] as const) {
        for (let tries = 0; ; tries++) {
          const { rotation } = await list();
          if ((action === "start") === (rotation !== undefined)) break;
          if (action === "finish") await allRenewed();
          const asked = rotate(action).catch(() => undefined);
          // a kill in the middle of it, and then, so that it ends, none
          if (tries < 3) {
            await sleep(randomInt(0, 150));
            await fleet.stopOverlord();
            if (tries % 2 === 0) {
              await fleet.stopMinion("web1");
              await fleet.startMinion("web1");
            }
          }
          await asked;
          expect(failures(await fleet.call("test", "ping"))).toEqual([]);
        }
        await sleep(randomInt(0, 150));
        await fleet.stopOverlord();
        expect(failures(await fleet.call("test", "ping"))).toEqual([]);
      }
      fingerprints.add((await list()).caFingerprint ?? "");
    }
    expect(fingerprints.size).toBe(3);
    const ca = await readFile(join(fleet.data, "ca", "ca.crt"), "utf8");
    await until(async () => {
      const theirs = await Promise.all(names.map((name) => readFile(pki(name, "ca.crt"), "utf8")));
      return theirs.every((one) => one === ca);
    });
  }, 180_000);
});

describe("a backup", () => {
  it("made during a rotation holds both CAs", async () => {
    await fleet.add("web1");
    await fleet.call("test", "ping");
    await rotate("start");
    const file = join(fleet.root, "backup");
    await (await fleet.connection()).request("overlord/backup", { file });
    const { unpackBackup } = await import("../../server/pki/backup/backupFile");
    const files = await unpackBackup(await readFile(file), undefined);
    const keep = ["ca/ca.key", "ca/ca.crt", "ca/next/ca.key", "ca/next/ca.crt"];
    for (const path of keep) {
      const found = files.find((one) => one.path === path);
      expect(found?.content.equals(await readFile(join(fleet.data, path)))).toBe(true);
    }
    const restored = join(fleet.root, "restored");
    for (const { path, content } of files) {
      await mkdir(join(restored, path, ".."), { recursive: true, mode: 0o700 });
      await writeFile(join(restored, path), content, { mode: 0o600 });
    }
    const { CertificateAuthority } =
      await import("../../server/pki/authority/certificateAuthority");
    const authority = await CertificateAuthority.open(join(restored, "ca"));
    const digests = authority?.rotation.trusted.map(({ raw }) =>
      createHash("sha256").update(raw).digest("hex"),
    );
    const { caFingerprint, rotation } = await list();
    expect(digests).toEqual([caFingerprint, rotation?.newFingerprint]);
    expect(new X509Certificate(await readFile(join(restored, "ca", "next", "ca.crt"))).ca).toBe(
      true,
    );
  });
});
