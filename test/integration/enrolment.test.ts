import { X509Certificate } from "node:crypto";
import { createServer } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CertificateAuthority } from "../../server/pki/authority/certificateAuthority";
import { noAddressAnswered } from "../../server/pki/enrolment/enroll";
import {
  identityOf,
  keyFingerprint,
  verifyMinionPeer,
} from "../../server/pki/certificates/identity";
import { generateKey } from "../../server/pki/certificates/keyFiles";
import { openOverlordCredentials } from "../../server/pki/authority/overlordCredentials";
import { RpcServer } from "../../server/wire/rpcServer";
import type { XmlRpcValue } from "../../server/wire/value";
import { WireClient } from "../../server/wire/wireClient";
import { changed, CertmasterLab, enrol, TIMEOUT_MS } from "../fixtures/certmasterLab";

let lab: CertmasterLab;

beforeEach(async () => {
  lab = await CertmasterLab.open();
});
afterEach(() => lab.close());

async function fakeCertmaster(answer: XmlRpcValue, role: "certmaster" | "minion" = "certmaster") {
  const calls: string[] = [];
  const { privateKeyPem, publicKey } = await generateKey();
  const leaf =
    role === "certmaster"
      ? lab.authority.issueCertmaster("fake", publicKey).certificatePem
      : (await lab.authority.issue({ role, name: "fake", publicKey })).certificatePem;
  const server = new RpcServer({
    key: privateKeyPem,
    certificate: leaf + lab.authority.certificatePem,
    ca: lab.authority.certificatePem,
    clientCertificate: "none",
    handle: async ({ method }) => {
      calls.push(method);
      return answer;
    },
  });
  const { port } = await server.listen(0, "127.0.0.1");
  lab.cleanup(() => server.close());
  return { address: `127.0.0.1:${port}`, calls };
}

describe("a host with a join token", () => {
  it("gets a certificate with which the overlord calls it", async () => {
    const { token } = await lab.certmaster.createToken({});
    const { privateKeyPem, publicKey } = await generateKey();
    const enrolment = await enrol(token, "Web1", { privateKeyPem });
    expect(enrolment.name).toBe("web1");
    expect(enrolment.caPem).toBe(lab.authority.certificatePem);
    const certificate = new X509Certificate(enrolment.certificatePem);
    expect(identityOf(certificate)).toEqual({
      role: "minion",
      name: "web1",
      keyFingerprint: keyFingerprint(publicKey),
    });
    const [minion] = lab.enrolled;
    expect(minion).toMatchObject({ name: "web1", address: "127.0.0.1", port: 51234 });
    expect(minion?.record).toEqual(lab.authority.liveMinion("web1"));

    const server = new RpcServer({
      key: privateKeyPem,
      certificate: enrolment.certificatePem,
      ca: enrolment.caPem,
      clientCertificate: "required",
      handle: async ({ connection }) => connection.certificate?.subjectAltName ?? null,
    });
    const { port } = await server.listen(0, "127.0.0.1");
    lab.cleanup(() => server.close());
    const overlord = new WireClient({
      ...(await openOverlordCredentials(lab.home, lab.authority, "boss")),
      verifyPeer: verifyMinionPeer,
    });
    lab.cleanup(() => overlord.close());
    const peer = {
      name: "web1",
      address: "127.0.0.1",
      port,
      keyFingerprint: keyFingerprint(publicKey),
    };
    expect(await overlord.call(peer, "x", [], { timeoutMs: TIMEOUT_MS })).toBe(
      "URI:func:overlord:boss",
    );
    await expect(
      overlord.call({ ...peer, name: "web2" }, "x", [], { timeoutMs: TIMEOUT_MS }),
    ).rejects.toMatchObject({ reason: "wrong-identity" });

    // a minion's certificate does not open another minion
    const intruder = new WireClient({
      key: privateKeyPem,
      certificate: enrolment.certificatePem,
      ca: enrolment.caPem,
      verifyPeer: verifyMinionPeer,
    });
    lab.cleanup(() => intruder.close());
    await expect(intruder.call(peer, "x", [], { timeoutMs: TIMEOUT_MS })).rejects.toMatchObject({
      name: "FuncError",
    });
  });

  it("is recorded under the address it announces", async () => {
    const { token } = await lab.certmaster.createToken({});
    await enrol(token, "web1", { address: "web1.example.org" });
    expect(lab.enrolled[0]?.address).toBe("web1.example.org");
  });

  it("cannot use the token twice, at the same time or later", async () => {
    const { token } = await lab.certmaster.createToken({});
    await lab.certmaster.createToken({}); // keeps the listener open
    const attempts = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => enrol(token, `web${i}`)),
    );
    expect(attempts.filter((attempt) => attempt.status === "fulfilled")).toHaveLength(1);
    expect(lab.enrolled).toHaveLength(1);
    await expect(enrol(token, "late")).rejects.toMatchObject({
      reason: "denied",
      message: expect.stringContaining("used already") as string,
    });
    expect(lab.certmaster.tokens()).toHaveLength(1);
  });

  it("learns why it is refused", async () => {
    const { token } = await lab.certmaster.createToken({ nameGlob: "web*" });
    await expect(enrol(token, "db1")).rejects.toMatchObject({
      reason: "denied",
      message: expect.stringContaining("web*") as string,
    });
    const wrong = changed(token, { secret: "x".repeat(43) });
    const unknown = changed(token, { id: "00000000" });
    const messages = await Promise.all(
      [wrong, unknown].map((text) =>
        enrol(text, "web1").catch((error: unknown) => (error as Error).message),
      ),
    );
    expect(messages[0]).toContain("not valid");
    expect(messages[0]).toBe(messages[1]);
    expect((await enrol(token, "web1")).name).toBe("web1");
  });

  it("does not get a name that another host has, but its own again", async () => {
    const { privateKeyPem } = await generateKey();
    const tokens = await Promise.all(
      Array.from({ length: 3 }, () => lab.certmaster.createToken({})),
    );
    const [first = "", second = "", third = ""] = tokens.map(({ token }) => token);
    await enrol(first, "web1", { privateKeyPem });
    await expect(enrol(second, "WEB1")).rejects.toMatchObject({
      reason: "conflict",
      message: expect.stringMatching(/already a minion web1.*func ca forget web1/) as string,
    });
    await enrol(second, "web1", { privateKeyPem });
    await lab.authority.release("web1");
    await enrol(third, "web1");
    expect(lab.enrolled).toHaveLength(3);
  });

  it("gets its name alone where two ask at once", async () => {
    const tokens = await Promise.all(
      Array.from({ length: 8 }, () => lab.certmaster.createToken({})),
    );
    const attempts = await Promise.allSettled(tokens.map(({ token }) => enrol(token, "web1")));
    expect(attempts.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const attempt of attempts) {
      if (attempt.status === "rejected")
        expect(attempt.reason).toMatchObject({ reason: "conflict" });
    }
    expect(lab.certmaster.tokens()).toHaveLength(7); // the losers keep theirs
  });

  it("keeps token and name where the overlord fails", async () => {
    const { token } = await lab.certmaster.createToken({});
    lab.onEnrolled = async () => {
      throw new Error("the disk at /secret/path is full");
    };
    const failure: unknown = await enrol(token, "web1").catch((error: unknown) => error);
    expect(failure).toMatchObject({
      reason: "refused",
      message: expect.stringContaining("its log tells why") as string,
    });
    expect((failure as Error).message).not.toContain("/secret/path");
    lab.onEnrolled = (minion) => lab.remember(minion);
    await enrol(token, "web1");
    expect(lab.enrolled).toHaveLength(1);
  });

  it("asks at no place but the CA's that the token pins", async () => {
    const { token, addresses } = await lab.certmaster.createToken({});
    const foreign = await CertificateAuthority.create(join(lab.home, "foreign"), "lab");
    const { privateKeyPem, publicKey } = await generateKey();
    const received: Buffer[] = [];
    const trap = createTlsServer(
      {
        key: privateKeyPem,
        cert: foreign.issueCertmaster("trap", publicKey).certificatePem + foreign.certificatePem,
      },
      (socket) =>
        socket.on("error", () => undefined).on("data", (data: Buffer) => received.push(data)),
    );
    const trapAddress = await lab.listen(trap);
    const nothing = await lab.closedAddress();
    const onlyTrap = changed(token, { addresses: [trapAddress] });
    await expect(enrol(onlyTrap, "web1")).rejects.toMatchObject({ reason: "wrong-identity" });
    const trapFirst = changed(token, { addresses: [nothing, trapAddress, ...addresses] });
    expect((await enrol(trapFirst, "web1")).name).toBe("web1");
    expect(received).toEqual([]);
  });

  it("does not give its token to a minion that poses as the certmaster", async () => {
    const { token } = await lab.certmaster.createToken({});
    const fake = await fakeCertmaster("", "minion");
    await expect(
      enrol(changed(token, { addresses: [fake.address] }), "web1"),
    ).rejects.toMatchObject({ reason: "wrong-identity" });
    expect(fake.calls).toEqual([]);
  });

  it("takes no certificate but its own", async () => {
    const { token } = await lab.certmaster.createToken({});
    const { publicKey } = await generateKey();
    const { certificatePem: others } = await lab.authority.issue({
      role: "minion",
      name: "web1",
      publicKey,
    });
    const answers: XmlRpcValue[] = [
      "",
      null,
      {},
      { certificate: "x" },
      { certificate: others, ca: "", name: "web1" },
    ];
    for (const answer of answers) {
      const fake = await fakeCertmaster(answer);
      await expect(
        enrol(changed(token, { addresses: [fake.address] }), "web1"),
      ).rejects.toMatchObject({ reason: "broken-answer" });
    }
  });

  it("is told of each address that does not answer", async () => {
    const { token } = await lab.certmaster.createToken({});
    const nothing = await lab.closedAddress();
    const silent = await lab.listen(createServer());
    const error: unknown = await enrol(
      changed(token, { addresses: [nothing, silent, "no-such-host.invalid:1"] }),
      "web1",
      { timeoutMs: 1000 },
    ).catch((e: unknown) => e);
    expect(error).toMatchObject({ name: "FuncError", reason: "unreachable" });
    const { message } = error as Error;
    expect(message).toContain(`${nothing}: nothing listens there`);
    expect(message).toContain(`${silent}: no answer in time`);
    expect(message).toContain("no-such-host.invalid:1: ");
    expect(noAddressAnswered([{ address: "a:1", error: new Error("x.") }]).message).toContain(
      "(a:1: x)",
    );
  });

  it("can be cancelled", async () => {
    const { token } = await lab.certmaster.createToken({});
    const silent = changed(token, { addresses: [await lab.listen(createServer())] });
    const abort = new AbortController();
    const attempt = enrol(silent, "web1", { signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    await expect(attempt).rejects.toMatchObject({ reason: "cancelled" });
    await expect(enrol(token, "web1", { signal: AbortSignal.abort() })).rejects.toMatchObject({
      reason: "cancelled",
    });
  });
});
