import { execFile, execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { OverlordConnection } from "../../server/client/connection";
import { askForCertificate } from "../../server/pki/enrolment/ask";
import type { Enrolment } from "../../server/pki/enrolment/enrolAnswer";
import { generateKey } from "../../server/pki/certificates/keyFiles";
import { connect, endOverlord, until } from "../fixtures/overlordBundle";
import { buildPrograms, programScript, type ProgramRun } from "../fixtures/programs";

let home: string;
let connection: OverlordConnection;
let port: number;
const stop = new AbortController();

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "func-certmaster-ca-"));
  await buildPrograms(home);
  const script = programScript(home, "overlord");
  await symlink(join(home, "func.js"), join(home, "certmaster-ca"));
  await writeFile(join(home, "overlord.yaml"), 'certmaster: { listen: "127.0.0.1:0" }\n');
  connection = await connect(home, script);
  await connection.request("certmaster/setApproval", { forMs: 60 * 60_000 });
  const { certmasterListening = "" } = await connection.request("overlord/status", {});
  port = Number(certmasterListening.split(":").at(-1));
});
afterAll(async () => {
  stop.abort();
  connection.dispose();
  await endOverlord(home);
  await rm(home, { recursive: true, force: true });
});

/** Asks in the background. */
async function ask(name: string): Promise<{ enrolment: Promise<Enrolment | undefined> }> {
  const { caFingerprint } = await connection.request("certmaster/list", {});
  const enrolment = askForCertificate({
    at: { host: "127.0.0.1", port },
    name,
    port: 51_234,
    privateKeyPem: (await generateKey()).privateKeyPem,
    caFingerprint,
    timeoutMs: 120_000,
    signal: stop.signal,
    confirmAuthority: async () => undefined,
  }).catch(() => undefined);
  const before = (await connection.request("certmaster/list", {})).waiting.length;
  await until(
    async () => (await connection.request("certmaster/list", {})).waiting.length > before,
  );
  return { enrolment };
}

function certmasterCa(...words: string[]): Promise<ProgramRun> {
  return start(join(home, "certmaster-ca"), words);
}

async function start(program: string, words: string[]): Promise<ProgramRun> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [program, ...words],
      { env: { ...process.env, FUNC_HOME: home } },
      (error, stdout, stderr) => {
        resolve({ status: error ? Number(error.code) : 0, stdout, stderr });
      },
    );
  });
}

it("prints the lines that scripts of the original read", async () => {
  expect(await certmasterCa("--list")).toEqual({
    status: 0,
    stdout: "No certificates to sign\n",
    stderr: "",
  });
  const web2 = await ask("web2");
  const web1 = await ask("Web1");
  await ask("db1");
  expect((await certmasterCa("-l")).stdout).toBe("db1\nweb1\nweb2\n");
  const signed = await certmasterCa("--sign", "web*", "nobody");
  const place = join(home, "ca", "issued.json");
  expect(signed).toEqual({
    status: 1,
    stdout: `web1 signed - cert located at ${place}\n` + `web2 signed - cert located at ${place}\n`,
    stderr: "No match for nobody to sign\n",
  });
  expect((await web1.enrolment)?.name).toBe("web1");
  const certificate = (await web2.enrolment)?.certificatePem ?? "";
  expect((await certmasterCa("--list")).stdout).toBe("db1\n");
  expect((await certmasterCa("--list-signed")).stdout).toBe("web1\nweb2\n");

  const hashes = (await certmasterCa("--list-cert-hash", "--ca", "")).stdout;
  const hex = execFileSync("openssl", ["x509", "-noout", "-subject_hash"], { input: certificate });
  expect(hashes).toContain(`web2-${parseInt(hex.toString().trim(), 16)}\n`);

  expect(await certmasterCa("-s", "db1")).toMatchObject({ status: 0 });
  const words = ["certmaster-ca", "--list"];
  expect((await start(join(home, "func.js"), words)).stdout).toBe("No certificates to sign\n");
});

it("does not sign what somebody should compare", async () => {
  await ask("twice");
  await ask("twice");
  const both = await certmasterCa("--sign", "twice");
  expect(both).toMatchObject({ status: 1, stdout: "" });
  expect(both.stderr).toContain('twice waits with several keys: use "func ca approve twice"');
  await ask("web1");
  expect((await certmasterCa("--sign", "web1")).stderr).toContain("with another key");
});

it("revokes and forgets with --clean", async () => {
  expect(await certmasterCa("--clean", "web2", "twice")).toMatchObject({ status: 0, stderr: "" });
  expect((await certmasterCa("--list-signed")).stdout).toBe("db1\nweb1\n");
  expect((await certmasterCa("--list")).stdout).toBe("web1\n");
  const names = (await connection.request("minions/list", {})).map(({ name }) => name);
  expect(names).toEqual(["db1", "web1"]);
  const { certificates } = await connection.request("certmaster/list", {});
  expect(certificates.find(({ name }) => name === "web2")?.revoked?.reason).toBe(
    "certmaster-ca --clean",
  );
  expect(await certmasterCa("--clean", "web2")).toMatchObject({
    status: 1,
    stderr: "No match for web2 to clean\n",
  });
});

it("lets the operator's triggers have their say about a removal", async () => {
  const folder = join(home, "triggers", "remove", "pre");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(join(home, "triggers"), 0o700);
  await writeFile(join(folder, "keep"), '#!/bin/sh\n[ "$1" != db1 ]\n', { mode: 0o700 });
  const kept = await certmasterCa("--clean", "db1");
  expect(kept).toMatchObject({ status: 1, stdout: "" });
  expect(kept.stderr).toContain("remove/pre/keep refuses db1: exit status 1");
  await expect(connection.request("minions/forget", { names: ["db1"] })).rejects.toThrow(
    "refuses db1",
  );
  expect((await certmasterCa("--list-signed")).stdout).toContain("db1\n");
  expect(await certmasterCa("--clean", "web1")).toMatchObject({ status: 0 });
  await rm(join(home, "triggers"), { recursive: true });
});

it("explains itself", async () => {
  expect((await certmasterCa("--version")).stdout).toBe("certmaster-ca 0.0.0-test\n");
  expect((await certmasterCa("--help")).stdout).toContain("--list-cert-hash");
  for (const words of [[], ["--list", "--sign", "a"], ["--sign"], ["--list", "a"], ["--no"]]) {
    expect(await certmasterCa(...words)).toMatchObject({ status: 2, stdout: "" });
  }
  expect((await certmasterCa("--ca", "other", "--list")).stderr).toContain("has no name");
});
