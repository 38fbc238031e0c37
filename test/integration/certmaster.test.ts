import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CertificateAuthority } from "../../server/pki/authority/certificateAuthority";
import { createCsr } from "../../server/pki/certificates/csr";
import { encodeEnrolRequest, ENROL_METHOD } from "../../server/pki/enrolment/enrolProtocol";
import { parseJoinToken } from "../../server/pki/enrolment/joinToken";
import { generateKey } from "../../server/pki/certificates/keyFiles";
import type { XmlRpcValue } from "../../server/wire/value";
import { WireClient } from "../../server/wire/wireClient";
import { changed, CertmasterLab, enrol, TIMEOUT_MS } from "../fixtures/certmasterLab";

const run = promisify(execFile);

let lab: CertmasterLab;

beforeEach(async () => {
  lab = await CertmasterLab.open();
});
afterEach(() => lab.close());

describe("the certmaster", () => {
  it("listens only while a token is open", async () => {
    expect(lab.certmaster.listening()).toBeUndefined();
    const { token, addresses, id, expiresAtMs } = await lab.certmaster.createToken({
      nameGlob: "web*",
    });
    expect(lab.certmaster.listening()).toBe(addresses[0]);
    expect(lab.certmaster.tokens()).toEqual([{ id, nameGlob: "web*", expiresAtMs }]);
    await enrol(token, "web1");
    await expect.poll(() => lab.certmaster.listening(), { timeout: 10_000 }).toBeUndefined();
    await expect(enrol(token, "web1")).rejects.toMatchObject({ reason: "refused" });
    await lab.certmaster.createToken({});
    expect(lab.certmaster.listening()).toBeDefined();
    await lab.certmaster.close();
    expect(lab.certmaster.listening()).toBeUndefined();
    await expect(lab.certmaster.createToken({})).rejects.toMatchObject({ reason: "unavailable" });
  });

  it("closes when wrong secrets end the last token", async () => {
    const { token } = await lab.certmaster.createToken({});
    const wrong = changed(token, { secret: "x".repeat(43) });
    for (let i = 0; i < 10; i++) await enrol(wrong, "web1").catch(() => undefined);
    await expect.poll(() => lab.certmaster.listening(), { timeout: 10_000 }).toBeUndefined();
    expect(lab.certmaster.tokens()).toEqual([]);
  });

  it("presents a chain that openssl verifies", async () => {
    const { addresses, caFingerprint } = await lab.certmaster.createToken({});
    const ca = join(lab.home, "ca", "ca.crt");
    const client = run("openssl", [
      "s_client",
      "-connect",
      addresses[0] ?? "",
      "-CAfile",
      ca,
      "-verify_return_error",
      "-showcerts",
    ]);
    client.child.stdin?.end();
    const { stdout } = await client;
    expect(stdout).toContain("Verify return code: 0 (ok)");
    const chain = stdout.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];
    expect(chain).toHaveLength(2);
    const presented = new X509Certificate(chain[1] ?? "");
    expect(presented.fingerprint256.replaceAll(":", "").toLowerCase()).toBe(caFingerprint);
    expect(caFingerprint).toBe(lab.authority.fingerprint);
  });

  it("bounds what it takes", async () => {
    const { addresses } = await lab.certmaster.createToken({});
    const [host = "", port = ""] = (addresses[0] ?? "").split(":");
    const client = new WireClient({
      ca: lab.authority.certificatePem,
      verifyPeer: () => undefined,
    });
    lab.cleanup(() => client.close());
    const call = (method: string, ...params: XmlRpcValue[]) =>
      client.call({ name: "c", address: host, port: Number(port) }, method, params, {
        timeoutMs: TIMEOUT_MS,
      });
    const { privateKeyPem } = await generateKey();
    const good = {
      tokenId: "00000000",
      secret: "x",
      csr: createCsr("web1", privateKeyPem),
      name: "web1",
      port: 1,
    };
    await expect(call("system.listMethods")).rejects.toMatchObject({ code: 12 });
    for (const params of [
      [],
      ["x"],
      [{}],
      [{ ...encodeEnrolRequest(good), port: 0 }],
      [{ ...encodeEnrolRequest(good), name: "../x" }],
      [{ ...encodeEnrolRequest(good), address: "a b" }],
    ]) {
      await expect(call(ENROL_METHOD, ...params)).rejects.toMatchObject({ code: 12 });
    }
    await expect(call(ENROL_METHOD, encodeEnrolRequest(good))).rejects.toMatchObject({ code: 10 });
    await expect(
      call(ENROL_METHOD, encodeEnrolRequest({ ...good, csr: "x".repeat(70_000) })),
    ).rejects.toMatchObject({ name: "FuncError" });
    expect(lab.enrolled).toEqual([]);
  });

  it("refuses a request whose name is not the certificate request's", async () => {
    const { token, addresses } = await lab.certmaster.createToken({});
    const { id, secret } = parseJoinToken(token);
    const [host = "", port = ""] = (addresses[0] ?? "").split(":");
    const client = new WireClient({
      ca: lab.authority.certificatePem,
      verifyPeer: () => undefined,
    });
    lab.cleanup(() => client.close());
    const { privateKeyPem } = await generateKey();
    const call = (csr: string) =>
      client.call(
        { name: "c", address: host, port: Number(port) },
        ENROL_METHOD,
        [encodeEnrolRequest({ tokenId: id, secret, csr, name: "web1", port: 1 })],
        { timeoutMs: TIMEOUT_MS },
      );
    await expect(call(createCsr("web2", privateKeyPem))).rejects.toMatchObject({ code: 12 });
    await expect(call("garbage")).rejects.toMatchObject({ code: 13 });
    expect(lab.authority.list()).toEqual([]);
  });

  it("refuses tokens that make no sense", async () => {
    const bad = expect.objectContaining({ reason: "bad-argument" }) as Error;
    for (const params of [
      { ttlMs: 59_999 },
      { ttlMs: 86_400_001 },
      { ttlMs: Number.NaN },
      { nameGlob: "a b" },
      { addresses: ["a b"] },
    ]) {
      await expect(lab.certmaster.createToken(params)).rejects.toThrow(bad);
    }
    await expect(
      lab.certmaster.createToken({ addresses: Array<string>(17).fill("a") }),
    ).rejects.toThrow(bad);
    await expect.poll(() => lab.certmaster.listening(), { timeout: 10_000 }).toBeUndefined();
  });

  it("offers given addresses as they are, and its own where they answer", async () => {
    const { addresses } = await lab.certmaster.createToken({
      addresses: ["192.0.2.1", "gate.example.org:99", "192.0.2.1"],
    });
    const port = lab.certmaster.listening()?.split(":")[1] ?? "";
    expect(addresses).toEqual([`192.0.2.1:${port}`, "gate.example.org:99"]);
    const open = lab.newCertmaster("0.0.0.0", 0);
    const own = await open.createToken({});
    expect(own.addresses.length).toBeGreaterThan(0);
    expect((await enrol(own.token, "web1")).name).toBe("web1");
  });

  it("says where it cannot listen", async () => {
    const taken = await lab.listen(createServer());
    const port = Number(taken.split(":")[1]);
    const second = lab.newCertmaster("127.0.0.1", port);
    await expect(second.createToken({})).rejects.toThrow(taken);
    expect(second.tokens()).toEqual([]);
    expect(second.listening()).toBeUndefined();
  });

  it("enrols many hosts at once", async () => {
    const names = Array.from({ length: 100 }, (_, i) => `web${i}`);
    const joined = await Promise.all(
      names.map(async (name) => enrol((await lab.certmaster.createToken({})).token, name)),
    );
    expect(joined.map(({ name }) => name)).toEqual(names);
    expect((await CertificateAuthority.open(join(lab.home, "ca")))?.list()).toHaveLength(100);
  });
});
