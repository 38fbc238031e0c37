import type { X509Certificate } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { FuncError } from "../../server/common/errors";
import { RpcFault } from "../../server/wire/rpcFault";
import type { RpcRequest, RpcServerOptions } from "../../server/wire/rpcServer";
import { RpcServer } from "../../server/wire/rpcServer";
import type { XmlRpcValue } from "../../server/wire/value";
import type { WireClientOptions, WirePeer } from "../../server/wire/wireClient";
import { fetchPresentedChain, WireClient } from "../../server/wire/wireClient";
import type { TestCredentials } from "../fixtures/testCertificates";
import { TestAuthority } from "../fixtures/testCertificates";

let authority: TestAuthority;
let minion: TestCredentials;
let overlord: TestCredentials;
const closers: (() => void | Promise<void>)[] = [];

beforeAll(() => {
  authority = new TestAuthority();
  minion = authority.issue({ uri: "func:minion:web1", usage: "serverAuth" });
  overlord = authority.issue({ uri: "func:overlord:main", usage: "clientAuth" });
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

afterAll(() => closers.splice(0));

async function serve(options: Partial<RpcServerOptions> = {}): Promise<WirePeer> {
  const server = new RpcServer({
    ...minion,
    clientCertificate: "required",
    handle: async ({ params }) => params,
    ...options,
  });
  closers.push(() => server.close());
  const { port } = await server.listen(0, "127.0.0.1");
  return { name: "web1", address: "127.0.0.1", port };
}

function nameIs(certificate: X509Certificate, peer: WirePeer): void {
  if (certificate.subjectAltName !== `URI:func:minion:${peer.name}`) {
    throw new FuncError("wrong-identity", `the certificate is ${certificate.subjectAltName ?? "?"}`);
  }
}

function client(options: Partial<WireClientOptions> = {}): WireClient {
  const wire = new WireClient({ ...overlord, verifyPeer: nameIs, ...options });
  closers.push(() => wire.close());
  return wire;
}

describe("a call", () => {
  it("carries method, parameters, call id and result between our own ends", async () => {
    const requests: RpcRequest[] = [];
    const peer = await serve({
      handle: async (request) => {
        requests.push(request);
        return request.params;
      },
    });
    const wire = client();
    const params: XmlRpcValue[] = [1, "a\rb", null, [true], { k: 1.5 }, 2 ** 40];
    expect(await wire.call(peer, "test.echo", params, { callId: "job-1/web1/0" })).toEqual(params);
    expect(requests[0]).toMatchObject({ method: "test.echo", callId: "job-1/web1/0" });
    expect(requests[0]?.connection.native).toBe(true);
    expect(requests[0]?.connection.certificate?.subjectAltName).toBe("URI:func:overlord:main");
    expect(wire.isNative(peer)).toBe(true);
  });

  it("reuses the held connection, and resumes the TLS session on a new one", async () => {
    const remotes = new Set<object>();
    const peer = await serve({
      handle: async ({ connection }) => {
        remotes.add(connection);
        return connection.certificate !== undefined;
      },
    });
    const wire = client({ maxHeld: 1 });
    for (let i = 0; i < 5; i++) expect(await wire.call(peer, "a.b", [])).toBe(true);
    expect(remotes.size).toBe(1);
    const answers = await Promise.all([1, 2, 3, 4].map(() => wire.call(peer, "a.b", [])));
    expect(answers).toEqual([true, true, true, true]);
    expect(remotes.size).toBe(4);
  });

  it("brings 20 MB in each direction", async () => {
    const peer = await serve();
    const big = "0123456789".repeat(2_000_000);
    const answer = await client().call(peer, "a.b", [big]);
    expect(Array.isArray(answer) && answer[0] === big).toBe(true);
  });

  it("turns faults into RpcFault", async () => {
    const peer = await serve({
      handle: async ({ method }) => {
        if (method === "a.fault") throw new RpcFault(7, "seven");
        throw new Error("boom");
      },
    });
    const wire = client();
    await expect(wire.call(peer, "a.fault", [])).rejects.toMatchObject({ code: 7, faultString: "seven" });
    await expect(wire.call(peer, "a.error", [])).rejects.toMatchObject({ code: 1, faultString: "boom" });
  });

  it("is cancelled, and the server's signal aborts", async () => {
    const aborted = Promise.withResolvers === undefined ? undefined : undefined;
    expect(aborted).toBeUndefined();
    let gone: () => void = () => undefined;
    const seen = new Promise<void>((resolve) => (gone = resolve));
    const controller = new AbortController();
    const peer = await serve({
      handle: ({ signal }) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => {
            gone();
            resolve(null);
          });
          controller.abort();
        }),
    });
    await expect(
      client().call(peer, "a.b", [], { signal: controller.signal }),
    ).rejects.toMatchObject({ reason: "cancelled" });
    await seen;
  });
});

describe("fetchPresentedChain", () => {
  it("gives leaf and root", async () => {
    const peer = await serve();
    const chain = await fetchPresentedChain({ ...peer, timeoutMs: 5_000 });
    expect(chain.map((certificate) => certificate.subject)).toEqual([
      "CN=func:minion:web1",
      "CN=test CA",
    ]);
  });
});
