import { execFile, execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect as connectSocket, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { silentLog } from "../../server/common/log";
import { Certmaster } from "../../server/pki/certmaster/certmaster";
import type { Refusal } from "../../server/pki/certmaster/certmasterRequests";
import { Triggers } from "../../server/pki/certmaster/triggers";
import { CertmasterLab } from "../fixtures/certmasterLab";

type Answer = { ok: unknown } | { fault: [number, string] };

let lab: CertmasterLab;
let certmaster: Certmaster;
let url: string;
let refusals: Refusal[];

beforeEach(async () => {
  lab = await CertmasterLab.open();
  refusals = [];
  certmaster = new Certmaster({
    authority: async () => lab.authority,
    existingAuthority: () => lab.authority,
    listen: { host: "127.0.0.1", port: 0 },
    originalHttp: { host: "127.0.0.1", port: 0 },
    autosign: { names: ["*"], networks: ["127.0.0.0/8"] },
    triggers: new Triggers(join(lab.home, "triggers"), silentLog),
    log: silentLog,
    onEnrolled: (minion) => lab.remember(minion),
    onRefused: (refusal) => refusals.push(refusal),
  });
  lab.cleanup(() => certmaster.close());
  await certmaster.open();
  url = `http://${certmaster.modes().originalHttp?.at ?? ""}/`;
});
afterEach(() => lab.close());

/** As the original makes them: RSA 2048, signed with MD5, and more in the subject than a name. */
function original(name: string, folder = name): { key: string; csr: string } {
  const key = join(lab.home, `${folder}.pem`);
  const csr = join(lab.home, `${folder}.csr`);
  const subject = `/C=UN/ST=FC/L=Certmaster-town/O=certmaster/OU=slave-key/CN=${name}/emailAddress=root@${name}`;
  execFileSync(
    "openssl",
    ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-md5", "-keyout", key, "-out", csr].concat([
      "-subj",
      subject,
    ]),
    { stdio: "ignore" },
  );
  return { key, csr: readFileSync(csr, "utf8") };
}

async function request(...calls: [string, unknown[]][]): Promise<Answer[]> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      "python3",
      ["test/fixtures/python/requester.py", url],
      (error, stdout, stderr) => {
        if (error) reject(new Error(stderr));
        else resolve(JSON.parse(stdout) as Answer[]);
      },
    );
    child.stdin?.end(JSON.stringify(calls));
  });
}

const NOT_YET: Answer = { ok: [false, "", ""] };

it("gives an old minion its certificate once an operator has approved it", async () => {
  const { csr, key } = original("Old1.example.org");
  // all forms that the original's versions have; triggers cannot be switched off from outside
  const asked = await request(
    ["wait_for_cert", [csr]],
    ["wait_for_cert", [csr, ""]],
    ["wait_for_cert", [csr, "", false]],
    ["wait_for_cert", [csr, true]],
  );
  expect(asked).toEqual([NOT_YET, NOT_YET, NOT_YET, NOT_YET]);
  const [waiting, another] = certmaster.waiting();
  expect(another).toBeUndefined();
  // nothing is signed by itself here, whatever autosign says
  expect(waiting).toMatchObject({
    name: "old1.example.org",
    from: "127.0.0.1",
    port: 51_234,
    unprotected: true,
  });
  await certmaster.approve("old1.example.org", waiting?.keyFingerprint ?? "");
  const [answer] = await request(["wait_for_cert", [csr, ""]]);
  const [ready, certificate, ca] = (answer as { ok: [boolean, string, string] }).ok;
  expect(ready).toBe(true);
  expect(ca).toBe(lab.authority.certificatePem);
  expect(new X509Certificate(certificate).subject).toBe("CN=old1.example.org");
  const modulus = (kind: string, text: string) =>
    execFileSync("openssl", [kind, "-noout", "-modulus"], { input: text }).toString();
  expect(modulus("x509", certificate)).toBe(modulus("rsa", readFileSync(key, "utf8")));
  expect(lab.enrolled).toMatchObject([
    { name: "old1.example.org", address: "127.0.0.1", port: 51_234 },
  ]);
  // however often it is asked, one certificate
  await request(...Array.from({ length: 20 }, (): [string, unknown[]] => ["wait_for_cert", [csr]]));
  expect(lab.authority.list()).toHaveLength(1);
});

it("hands a certificate to no other key, and keeps both requests", async () => {
  const mine = original("web1", "mine");
  const other = original("web1", "other");
  await request(["wait_for_cert", [mine.csr]]);
  const [first] = certmaster.waiting();
  await certmaster.approve("web1", first?.keyFingerprint ?? "");
  expect(await request(["wait_for_cert", [other.csr]])).toEqual([NOT_YET]);
  expect(certmaster.waiting()).toMatchObject([{ name: "web1", replaces: first?.keyFingerprint }]);
  // not even while requests are taken over TLS is it signed by itself
  await certmaster.setApproval(60_000);
  expect(await request(["wait_for_cert", [other.csr]])).toEqual([NOT_YET]);
  const [, secondTry] = await request(
    ["wait_for_cert", [mine.csr]],
    ["wait_for_cert", [other.csr, ""]],
  );
  expect(secondTry).toEqual(NOT_YET);
});

it("answers what is wrong as the original, and refuses with a reason", async () => {
  const { csr } = original("web1");
  const bad = original("-x", "bad");
  const answers = await request(
    ["wait_for_cert", ["no request"]],
    ["wait_for_cert", [csr, "OtherCA"]],
    ["wait_for_cert", [bad.csr]],
    ["get_csrs_waiting", []],
    ["trait_names", []],
    ["_getAttributeNames", []],
    ["wait_for_cert", []],
  );
  expect(answers[0]).toEqual(NOT_YET);
  expect(answers[1]).toMatchObject({ fault: [1, expect.stringContaining("one CA")] });
  expect(answers[2]).toMatchObject({ fault: [13, expect.stringContaining("names nobody")] });
  expect(answers[3]).toMatchObject({
    fault: [1, expect.stringContaining("certmaster.codes.InvalidMethodException")],
  });
  expect(answers[4]).toEqual({ ok: ["wait_for_cert"] });
  expect(answers[5]).toEqual({ ok: ["wait_for_cert"] });
  expect(answers[6]).toMatchObject({ fault: [1, expect.stringContaining("TypeError")] });
  expect(certmaster.waiting()).toEqual([]);
  expect(refusals.length).toBeGreaterThan(2);
  expect(refusals.every(({ from }) => from === "127.0.0.1")).toBe(true);
});

it("tells a denied host so", async () => {
  const { csr } = original("web1");
  await request(["wait_for_cert", [csr]]);
  certmaster.deny("web1", certmaster.waiting()[0]?.keyFingerprint ?? "");
  const [answer] = await request(["wait_for_cert", [csr]]);
  expect(answer).toMatchObject({ fault: [10, expect.stringContaining("denied")] });
  expect(certmaster.waiting()).toEqual([]);
});

it("bounds what one source can make wait, and what it sends", async () => {
  const csrs = Array.from({ length: 22 }, (_, at) => original(`squat${at}`).csr);
  const answers = await request(
    ...csrs.map((csr): [string, unknown[]] => ["wait_for_cert", [csr]]),
  );
  expect(certmaster.waiting()).toHaveLength(20);
  expect(answers.at(-1)).toMatchObject({ fault: [14, expect.stringContaining("Too many")] });

  const [host = "", port = ""] = new URL(url).host.split(":");
  const send = (text: string): Promise<string> =>
    new Promise((resolve) => {
      let answer = "";
      const socket = connectSocket(Number(port), host, () => socket.write(text));
      socket.setEncoding("utf8").on("data", (piece: string) => (answer += piece));
      socket.on("error", () => undefined).on("close", () => resolve(answer));
    });
  expect(await send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")).toContain(" 501 ");
  expect(await send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n")).toContain(
    " 413 ",
  );
  expect(await send("no HTTP at all\r\n\r\n")).toBe("");
  const bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><methodCall/>';
  expect(
    await send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${bomb.length}\r\n\r\n${bomb}`),
  ).toContain("faultCode");
  // silent connections push out each other, never whoever has something to say
  const idle: Socket[] = [];
  for (let i = 0; i < 100; i++) {
    idle.push(connectSocket(Number(port), host).on("error", () => undefined));
  }
  expect(await request(["trait_names", []])).toEqual([{ ok: ["wait_for_cert"] }]);
  for (const socket of idle) socket.destroy();
});

it("says what it gives up, and where it cannot listen", async () => {
  expect(certmaster.modes().originalHttp?.givesUp).toContain("anybody between");
  expect(certmaster.isActive()).toBe(true);
  const second = new Certmaster({
    authority: async () => lab.authority,
    existingAuthority: () => lab.authority,
    listen: { host: "127.0.0.1", port: 0 },
    originalHttp: { host: "127.0.0.1", port: Number(new URL(url).port) },
    triggers: new Triggers(join(lab.home, "triggers"), silentLog),
    log: silentLog,
    onEnrolled: async () => undefined,
  });
  await second.open();
  expect(second.modes().originalHttp?.problem).toContain("EADDRINUSE");
  expect(second.isActive()).toBe(false);
  await second.close();
});
