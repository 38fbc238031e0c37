import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { silentLog } from "../../server/common/log";
import {
  ASK_METHOD,
  decodeAskAnswer,
  encodeAskRequest,
} from "../../server/pki/enrolment/askProtocol";
import { Certmaster } from "../../server/pki/certmaster/certmaster";
import { createCsr } from "../../server/pki/certificates/csr";
import { parseHostPort } from "../../server/common/hostPort";
import { keyFingerprint } from "../../server/pki/certificates/identity";
import { generateKey } from "../../server/pki/certificates/keyFiles";
import { Triggers } from "../../server/pki/certmaster/triggers";
import { WireClient } from "../../server/wire/wireClient";
import { CertmasterLab, enrol, TIMEOUT_MS } from "../fixtures/certmasterLab";

let lab: CertmasterLab;
let certmaster: Certmaster;
let client: WireClient;
let listed: string[];

beforeEach(async () => {
  lab = await CertmasterLab.open();
  listed = [];
  certmaster = new Certmaster({
    authority: async () => lab.authority,
    existingAuthority: () => lab.authority,
    listen: { host: "127.0.0.1", port: 0 },
    autosign: { names: ["auto*"], networks: ["127.0.0.1/32"] },
    isListed: (name) => listed.includes(name),
    triggers: new Triggers(join(lab.home, "triggers"), silentLog),
    log: silentLog,
    onEnrolled: (minion) => lab.onEnrolled(minion),
  });
  lab.cleanup(() => certmaster.close());
  client = new WireClient({ ca: lab.authority.certificatePem, verifyPeer: () => undefined });
  lab.cleanup(() => client.close());
});
afterEach(() => lab.close());

/** A host with a key of its own; `ask` asks once. */
async function host(name: string) {
  const { privateKeyPem, publicKey } = await generateKey();
  const request = encodeAskRequest({ csr: createCsr(name, privateKeyPem), name, port: 51_234 });
  const ask = async () => {
    const { host: address, port } = parseHostPort(certmaster.listening() ?? "");
    const peer = { name: "certmaster", address, port };
    return decodeAskAnswer(
      await client.call(peer, ASK_METHOD, [request], { timeoutMs: TIMEOUT_MS }),
    );
  };
  return { name, keyFingerprint: keyFingerprint(publicKey), ask };
}

it("replaces no key that was not shown to the operator", async () => {
  await certmaster.setApproval(60_000);
  const web1 = await host("web1");
  expect(await web1.ask()).toEqual({ state: "waiting" });
  expect(certmaster.waiting()[0]?.replaces).toBeUndefined();
  const { token } = await certmaster.createToken({});
  await enrol(token, "web1"); // in between, another host gets the name
  await expect(certmaster.approve("web1", web1.keyFingerprint)).rejects.toMatchObject({
    reason: "conflict",
    message: expect.stringContaining("another key by now") as string,
  });
  const live = lab.authority.liveMinion("web1");
  expect(certmaster.waiting()[0]?.replaces).toBe(live?.keyFingerprint);
  await certmaster.approve("web1", web1.keyFingerprint);
  expect(await web1.ask()).toMatchObject({ state: "approved" });
  const { serial } = live ?? { serial: "" };
  expect(lab.authority.list().find((one) => one.serial === serial)?.revoked).toBeDefined();
});

it("signs by itself only while requests are taken", async () => {
  const { id } = await certmaster.createToken({});
  const auto1 = await host("auto1");
  expect(await auto1.ask()).toEqual({ state: "closed" });
  await certmaster.setApproval(60_000);
  expect(await auto1.ask()).toMatchObject({ state: "approved" });
  expect((await (await host("auto1")).ask()).state).toBe("waiting"); // another key
  await certmaster.setApproval(0);
  expect(await (await host("auto2")).ask()).toEqual({ state: "closed" });
  expect(certmaster.tokens()).toMatchObject([{ id }]);
});

it("signs no name by itself that was revoked, or that is in the inventory", async () => {
  await certmaster.setApproval(60_000);
  expect(await (await host("auto1")).ask()).toMatchObject({ state: "approved" });
  await lab.authority.revoke({ names: ["auto1"], reason: "compromised" });
  const again = await host("auto1");
  expect(await again.ask()).toEqual({ state: "waiting" });
  listed = ["auto2"];
  expect(await (await host("auto2")).ask()).toEqual({ state: "waiting" });
  await certmaster.approve("auto1", again.keyFingerprint);
  expect(await again.ask()).toMatchObject({ state: "approved" });
});

it("keeps a request where the approval fails", async () => {
  await certmaster.setApproval(60_000);
  const web1 = await host("web1");
  await web1.ask();
  lab.onEnrolled = async () => {
    throw new Error("the disk is full");
  };
  await expect(certmaster.approve("web1", web1.keyFingerprint)).rejects.toThrow("disk is full");
  expect(await web1.ask()).toEqual({ state: "waiting" });
  lab.onEnrolled = (minion) => lab.remember(minion);
  await certmaster.approve("web1", web1.keyFingerprint);
  expect(await web1.ask()).toMatchObject({ state: "approved" });
  expect(lab.enrolled).toHaveLength(1);
});

it("runs its triggers once for a host that asks again and again", async () => {
  const folder = join(lab.home, "triggers", "request", "pre");
  const count = join(lab.home, "count");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, "count"), `#!/bin/sh\necho x >> '${count}'\nsleep 0.3\n`);
  await chmod(join(folder, "count"), 0o700);
  await certmaster.setApproval(60_000);
  const web1 = await host("web1");
  const answers = await Promise.all(Array.from({ length: 8 }, () => web1.ask()));
  await web1.ask();
  expect(new Set(answers.map(({ state }) => state))).toEqual(new Set(["waiting"]));
  expect(await readFile(count, "utf8")).toBe("x\n");
  expect(certmaster.waiting()).toHaveLength(1);
});

it("denies every request of a key, in whatever name", async () => {
  await certmaster.setApproval(60_000);
  const web1 = await host("web1");
  await web1.ask();
  certmaster.deny("WEB1", web1.keyFingerprint);
  const answer = await web1.ask();
  expect(answer.state).toBe("denied");
  expect(() => certmaster.deny("web1", web1.keyFingerprint)).toThrow("No request for web1");
});

it("gives a revoked key nothing", async () => {
  await certmaster.setApproval(60_000);
  const web1 = await host("web1");
  await web1.ask();
  await certmaster.approve("web1", web1.keyFingerprint);
  await web1.ask();
  await lab.authority.revoke({ names: ["web1"], reason: "stolen" });
  await expect(web1.ask()).rejects.toMatchObject({
    code: 10,
    faultString: expect.stringContaining("was revoked") as string,
  });
});
