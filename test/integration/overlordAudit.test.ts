import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { AuditRecord } from "../../server/common/auditRead";
import { createCsr } from "../../server/pki/certificates/csr";
import { enroll } from "../../server/pki/enrolment/enroll";
import { generateKey } from "../../server/pki/certificates/keyFiles";
import { TestFleet } from "../fixtures/testFleet";

let fleet: TestFleet;

beforeAll(async () => {
  fleet = await TestFleet.start(["web1", "web2"]);
});

afterAll(async () => {
  await fleet.close();
});

async function records(): Promise<AuditRecord["fields"][]> {
  const { records } = await fleet.connection.request("audit/read", { limit: 1_000 });
  return records.map(({ fields }) => fields);
}

async function last(event: string): Promise<AuditRecord["fields"] | undefined> {
  return (await records()).findLast((fields) => fields["event"] === event);
}

it("records calls, who asked for them, and how they ended, without their arguments", async () => {
  const { summary } = await fleet.call({ spec: "web*", args: ["s3cret argument"] });
  const start = await last("calls/start");
  expect(start).toMatchObject({
    user: expect.any(String) as string,
    client: "library",
    clientPid: process.pid,
    spec: "web*",
    module: "test",
    method: "echo",
    argumentsDigest: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    jobId: summary.id,
    total: 2,
    outcome: "ok",
  });
  await expect
    .poll(() => last("job/ended"))
    .toMatchObject({
      jobId: summary.id,
      counts: { succeeded: 2 },
    });
  await expect(fleet.start({ spec: "nosuch" })).rejects.toThrow();
  expect(await last("calls/start")).toMatchObject({ spec: "nosuch", outcome: "failed: no-match" });
  const file = join(fleet.home, "audit.log");
  expect(await readFile(file, "utf8")).not.toContain("s3cret");
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

it("records changes, and nothing that only looks", async () => {
  const before = (await records()).length;
  await fleet.connection.request("minions/list", {});
  await fleet.connection.request("certmaster/list", {});
  await fleet.connection.request("audit/verify", {});
  expect((await records()).length).toBe(before);
  await fleet.connection.request("groups/edit", { name: "web", add: ["web1"] });
  expect(await last("groups/edit")).toMatchObject({ name: "web", add: ["web1"], outcome: "ok" });
  await fleet.connection.request("minions/edit", { name: "web2", port: 1 });
  expect(await last("minions/edit")).toMatchObject({ name: "web2", port: 1 });
  const { privateKeyPem } = await generateKey();
  const csr = createCsr("web3", privateKeyPem);
  const { record } = await fleet.connection.request("certmaster/sign", { csr });
  expect(await last("certmaster/sign")).toMatchObject({
    certificate: { name: "web3", role: "minion", serial: record.serial },
    outcome: "ok",
  });
  expect(JSON.stringify(await records())).not.toContain("BEGIN CERTIFICATE");
});

it("records hosts that were turned away, and those that joined", async () => {
  const token = await fleet.connection.request("certmaster/createToken", {
    nameGlob: "db*",
    addresses: ["127.0.0.1"],
  });
  expect(await last("certmaster/createToken")).toMatchObject({
    tokenId: token.id,
    nameGlob: "db*",
  });
  expect(JSON.stringify(await records())).not.toContain(token.token);
  const { privateKeyPem } = await generateKey();
  const join = (name: string): Promise<unknown> =>
    enroll({
      token: token.token,
      name,
      port: 1,
      address: "127.0.0.1",
      privateKeyPem,
      timeoutMs: 20_000,
    });
  await expect(join("web9")).rejects.toThrow();
  await expect
    .poll(() => last("certmaster/refused"))
    .toMatchObject({
      name: "web9",
      outcome: "denied",
      reason: expect.any(String) as string,
    });
  await join("db1");
  expect(await last("certmaster/enrolled")).toMatchObject({ name: "db1" });
});

it("goes on after the overlord was killed, and shows what was changed", async () => {
  const report = await fleet.connection.request("audit/verify", {});
  expect(report).toMatchObject({ ok: true, firstSeq: 1 });
  await fleet.killOverlord();
  await fleet.connection.request("groups/edit", { name: "db", add: ["db1"] });
  const after = await fleet.connection.request("audit/verify", {});
  expect(after.ok).toBe(true);
  expect(after.lastSeq).toBeGreaterThan(report.lastSeq);
  const page = await fleet.connection.request("audit/read", { fromSeq: 2, limit: 2 });
  expect(page.records.map(({ seq }) => seq)).toEqual([2, 3]);
  const file = join(fleet.home, "audit.log");
  const text = await readFile(file, "utf8");
  await writeFile(file, text.replace('"spec":"web*"', '"spec":"db**"'));
  const broken = await fleet.connection.request("audit/verify", {});
  const line = text.split("\n").findIndex((one) => one.includes('"spec":"web*"')) + 1;
  expect(broken).toMatchObject({ ok: false, problem: { file, line } });
});
