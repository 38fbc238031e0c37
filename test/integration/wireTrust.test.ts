import { afterEach, describe, expect, it } from "vitest";
import { FuncError } from "../../server/common/errors";
import { encodeCall } from "../../server/wire/encode";
import type { RpcServerOptions } from "../../server/wire/rpcServer";
import type { WireClientOptions, WirePeer } from "../../server/wire/wireClient";
import type { TestCredentials } from "../fixtures/testCertificates";
import { TestAuthority } from "../fixtures/testCertificates";
import { nameIs, WireHarness } from "../fixtures/wireHarness";

const harness = new WireHarness();
const stranger = new TestAuthority("another CA");
afterEach(() => harness.close());

/** A server that must never be reached, and what it said about those it refused. */
async function guarded(
  options: Partial<RpcServerOptions> = {},
): Promise<{ peer: WirePeer; refusals: string[] }> {
  const refusals: string[] = [];
  const peer = await harness.serve({
    handle: async () => {
      throw new Error("reached");
    },
    onRefused: (reason) => refusals.push(reason),
    ...options,
  });
  return { peer, refusals };
}

async function failure(
  peer: WirePeer,
  options: Partial<WireClientOptions> = {},
): Promise<FuncError> {
  const error: unknown = await harness
    .client(options)
    .call(peer, "a.b", [])
    .catch((reason: unknown) => reason);
  if (error instanceof FuncError) return error;
  throw new Error(`not a FuncError: ${String(error)}`);
}

describe("the client refuses", () => {
  const servers: [string, () => TestCredentials, string, RegExp][] = [
    [
      "a minion of another CA",
      () => ({
        ...stranger.issue({ uri: "func:minion:web1", usage: "serverAuth" }),
        ca: harness.authority.ca,
      }),
      "tls",
      /another CA/,
    ],
    [
      "an expired certificate",
      () =>
        harness.authority.issue({
          uri: "func:minion:web1",
          usage: "serverAuth",
          validForMs: -1000,
        }),
      "tls",
      /expired/,
    ],
    [
      "a client's certificate on a server",
      () => harness.authority.issue({ uri: "func:minion:web1", usage: "clientAuth" }),
      "tls",
      /not meant for a server/,
    ],
    [
      "another minion",
      () => harness.authority.issue({ uri: "func:minion:db1", usage: "serverAuth" }),
      "wrong-identity",
      /web1 \(127\.0\.0\.1:\d+\).*func:minion:db1/,
    ],
  ];
  it.each(servers)("%s", async (_what, credentials, reason, message) => {
    const { peer } = await guarded(credentials());
    const error = await failure(peer);
    expect(error.reason).toBe(reason);
    expect(error.message).toMatch(message);
    expect(error.message).toContain("web1");
    expect(error.nextStep).toBeTruthy();
  });

  it("a peer that is no longer trusted, on held and on resumed connections too", async () => {
    for (const maxHeld of [0, 10]) {
      const peer = await harness.serve();
      let trusted = true;
      const wire = harness.client({
        maxHeld,
        verifyPeer: () => {
          if (!trusted) throw new FuncError("wrong-identity", "it was revoked.");
        },
      });
      await wire.call(peer, "a.b", []);
      await wire.call(peer, "a.b", []);
      trusted = false;
      await expect(wire.call(peer, "a.b", [])).rejects.toMatchObject({ reason: "wrong-identity" });
      trusted = true;
      expect(await wire.call(peer, "a.b", [])).toEqual([]);
    }
  });

  it("to use one peer's connection or session for another identity", async () => {
    const seen: string[] = [];
    const peer = await harness.serve();
    const wire = harness.client({
      verifyPeer: (certificate, asked) => {
        seen.push(`${asked.name} ${asked.keyFingerprint ?? ""}`);
        nameIs(certificate, asked);
      },
    });
    await wire.call(peer, "a.b", []);
    await wire.call({ ...peer, keyFingerprint: "ab" }, "a.b", []);
    await expect(wire.call({ ...peer, name: "web2" }, "a.b", [])).rejects.toMatchObject({
      reason: "wrong-identity",
    });
    expect(seen).toEqual(["web1 ", "web1 ab", "web2 "]);
  });
});

describe("the server refuses", () => {
  const clients: [string, () => Partial<WireClientOptions>, RegExp][] = [
    ["no certificate", () => ({ key: undefined, certificate: undefined }), /no client certificate/],
    [
      "a client of another CA",
      () => ({
        ...stranger.issue({ uri: "func:overlord:main", usage: "clientAuth" }),
        ca: harness.authority.ca,
      }),
      /UNABLE_TO|SELF_SIGNED/,
    ],
    [
      "an expired client",
      () =>
        harness.authority.issue({
          uri: "func:overlord:main",
          usage: "clientAuth",
          validForMs: -1000,
        }),
      /CERT_HAS_EXPIRED/,
    ],
    ["a minion's certificate as a client's", () => harness.minion, /INVALID_PURPOSE/],
  ];
  it.each(clients)("%s, and says why", async (_what, credentials, reason) => {
    const { peer, refusals } = await guarded();
    const error = await failure(peer, credentials());
    expect(error.reason).toBe("tls");
    expect(error.message).toMatch(/web1 .* refused our certificate/);
    expect(error.message).toMatch(reason);
    expect(error.message).toMatch(/Nothing was run/);
    expect(refusals).toEqual([expect.stringMatching(reason)]);
  });

  it("whom admitConnection does not admit: later calls of the connection, and resumed ones", async () => {
    let revoked = false;
    const { peer, refusals } = await guarded({
      handle: async () => 1,
      admitConnection: ({ certificate }) => {
        if (revoked || certificate?.subjectAltName !== "URI:func:overlord:main") {
          throw new FuncError("denied", "revoked");
        }
      },
    });
    const wire = harness.client();
    expect(await wire.call(peer, "a.b", [])).toBe(1);
    revoked = true;
    for (const _kind of ["held", "resumed"]) {
      await expect(wire.call(peer, "a.b", [])).rejects.toMatchObject({
        reason: "tls",
        message: expect.stringContaining("revoked") as string,
      });
    }
    expect(refusals).toEqual(["revoked", "revoked"]);
    revoked = false;
    expect(await wire.call(peer, "a.b", [])).toBe(1);
  });

  it("clients of the original without a word", async () => {
    const { peer, refusals } = await guarded({
      admitConnection: () => {
        throw new FuncError("denied", "not you");
      },
    });
    const socket = await harness.connectRaw(peer);
    let received = 0;
    socket.on("data", (piece: Buffer) => (received += piece.length));
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    const body = encodeCall("a.b", []);
    socket.write(`POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`);
    socket.write(body);
    await closed;
    expect(received).toBe(0);
    expect(refusals).toEqual(["not you"]);
  });

  it("TLS before 1.2, and unknown ALPN", async () => {
    const { peer } = await guarded();
    await expect(
      harness.connectRaw(peer, {
        minVersion: "TLSv1",
        maxVersion: "TLSv1.1",
        ciphers: "DEFAULT@SECLEVEL=0",
      }),
    ).rejects.toThrow();
    await expect(harness.connectRaw(peer, { ALPNProtocols: ["h2"] })).rejects.toThrow();
  });

  it("nobody where no certificate is asked for", async () => {
    const peer = await harness.serve({ clientCertificate: "none" });
    const wire = harness.client({ key: undefined, certificate: undefined });
    expect(await wire.call(peer, "a.b", ["x"])).toEqual(["x"]);
    await expect(wire.call(peer, "a.b", ["x".repeat(70_000)])).rejects.toMatchObject({
      reason: "broken-answer",
      message: expect.stringContaining("413") as string,
    });
  });
});
