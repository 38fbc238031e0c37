import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, it } from "vitest";
import { encodeResponse } from "../../server/wire/encode";
import { RpcFault } from "../../server/wire/rpcFault";
import type { RpcConnection, RpcRequest } from "../../server/wire/rpcServer";
import { RpcServer } from "../../server/wire/rpcServer";
import type { XmlRpcValue } from "../../server/wire/value";
import { fetchPresentedChain } from "../../server/wire/presentedChain";
import { httpAnswer, WireHarness } from "../fixtures/wireHarness";

const harness = new WireHarness();
afterEach(() => harness.close());

describe("a call", () => {
  it("carries method, parameters, call id and result between our own ends", async () => {
    const requests: RpcRequest[] = [];
    const peer = await harness.serve({
      handle: async (request) => {
        requests.push(request);
        return request.params;
      },
    });
    const wire = harness.client();
    const params: XmlRpcValue[] = [1, "a\rb", null, [true], { k: 1.5 }, 2 ** 40];
    expect(wire.isNative(peer)).toBeUndefined();
    expect(await wire.call(peer, "test.echo", params, { callId: "job-1/web1/0" })).toEqual(params);
    expect(requests[0]).toMatchObject({ method: "test.echo", callId: "job-1/web1/0" });
    expect(requests[0]?.connection.native).toBe(true);
    expect(requests[0]?.connection.certificate?.subjectAltName).toBe("URI:func:overlord:main");
    expect(wire.isNative(peer)).toBe(true);
  });

  it("leaves nothing of itself with the connection that is held after it", async () => {
    const peer = await harness.serve();
    const wire = harness.client();
    let options: WeakRef<object> | undefined;
    await (async () => {
      const own = { onSent: () => undefined };
      options = new WeakRef(own.onSent);
      await wire.call(peer, "a.b", [], own);
    })();
    expect(wire.isNative(peer)).toBe(true);
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    await expect
      .poll(() => {
        collect();
        return options?.deref();
      })
      .toBeUndefined();
  });

  it("brings 20 MB in each direction", async () => {
    const peer = await harness.serve();
    const big = "0123456789".repeat(2_000_000);
    const answer = await harness.client().call(peer, "a.b", [big]);
    expect(Array.isArray(answer) && answer[0] === big).toBe(true);
  });

  it("turns faults into RpcFault", async () => {
    const peer = await harness.serve({
      handle: async ({ method }) => {
        if (method === "a.fault") throw new RpcFault(7, "seven");
        if (method === "a.nan") return NaN;
        throw new Error("boom");
      },
    });
    const wire = harness.client();
    await expect(wire.call(peer, "a.fault", [])).rejects.toMatchObject({
      code: 7,
      faultString: "seven",
    });
    await expect(wire.call(peer, "a.error", [])).rejects.toMatchObject({
      code: 1,
      faultString: "boom",
    });
    await expect(wire.call(peer, "a.nan", [])).rejects.toBeInstanceOf(RpcFault);
  });

  it("tells when it goes out, once the peer is verified", async () => {
    const peer = await harness.serve();
    let sent = 0;
    const onSent = (): void => {
      sent++;
    };
    const wire = harness.client();
    await wire.call(peer, "a.b", [], { onSent });
    expect(sent).toBe(1);
    const stranger = { ...peer, name: "db1" };
    await expect(wire.call(stranger, "a.b", [], { onSent })).rejects.toMatchObject({
      reason: "wrong-identity",
    });
    expect(sent).toBe(1);
  });

  it("is cancelled, and the server's signal aborts", async () => {
    const controller = new AbortController();
    const seen = new Promise<void>((resolve, reject) => {
      harness
        .serve({
          handle: ({ signal }) =>
            new Promise((answer) => {
              signal.addEventListener("abort", () => {
                resolve();
                answer(null);
              });
              controller.abort();
            }),
        })
        .then(async (peer) => {
          await expect(
            harness.client().call(peer, "a.b", [], { signal: controller.signal }),
          ).rejects.toMatchObject({ reason: "cancelled" });
        })
        .catch(reject);
    });
    await seen;
  });
});

describe("connections", () => {
  /** A server that counts the connections its calls came on. */
  async function counting(): Promise<
    [Set<RpcConnection>, Awaited<ReturnType<typeof harness.serve>>]
  > {
    const connections = new Set<RpcConnection>();
    const peer = await harness.serve({
      handle: async ({ connection }) => {
        connections.add(connection);
        return true;
      },
    });
    return [connections, peer];
  }

  it("are held between calls, one for each call at a time", async () => {
    const [connections, peer] = await counting();
    const wire = harness.client();
    for (let i = 0; i < 5; i++) await wire.call(peer, "a.b", []);
    expect(connections.size).toBe(1);
    await Promise.all([1, 2, 3, 4].map(() => wire.call(peer, "a.b", [])));
    expect(connections.size).toBe(4);
    await Promise.all([1, 2, 3, 4].map(() => wire.call(peer, "a.b", [])));
    expect(connections.size).toBe(4);
  });

  it("are not held beyond the cap", async () => {
    const [connections, peer] = await counting();
    const wire = harness.client({ maxHeld: 0 });
    for (let i = 0; i < 3; i++) await wire.call(peer, "a.b", []);
    expect(connections.size).toBe(3);
  });

  it("are closed when idle for long", async () => {
    const [connections, peer] = await counting();
    const wire = harness.client({ idleMs: 1 });
    await wire.call(peer, "a.b", []);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await wire.call(peer, "a.b", []);
    expect(connections.size).toBe(2);
  });

  it("that the peer closed between calls are replaced by new ones", async () => {
    const closed: Promise<void>[] = [];
    const peer = await harness.rawTls((socket) => {
      closed.push(new Promise((resolve) => socket.once("close", () => resolve())));
      socket.once("data", () => {
        socket.write(httpAnswer(encodeResponse(1)));
        socket.end();
      });
    });
    const wire = harness.client();
    for (let call = 1; call <= 3; call++) {
      expect(await wire.call(peer, "a.b", [])).toBe(1);
      await Promise.all(closed);
      expect(closed.length).toBe(call);
    }
  });

  it.each(["TLSv1.2", "TLSv1.3"] as const)("resume their %s session", async (version) => {
    const reused: boolean[] = [];
    const peer = await harness.rawTls(
      (socket) => {
        reused.push(socket.isSessionReused());
        socket.on("data", () => {
          socket.end(httpAnswer(encodeResponse(1), "HTTP/1.1 200 OK\r\nConnection: close"));
        });
      },
      { minVersion: version, maxVersion: version },
    );
    const verified: string[] = [];
    const wire = harness.client({
      verifyPeer: (certificate) => verified.push(certificate.subjectAltName ?? ""),
    });
    for (let call = 0; call < 3; call++) expect(await wire.call(peer, "a.b", [])).toBe(1);
    expect(reused).toEqual([false, true, true]);
    expect(verified).toEqual(Array(3).fill("URI:func:minion:web1"));
  });
});

describe("a server", () => {
  it("listens before it has credentials, and takes new ones while it runs", async () => {
    const server = new RpcServer({ clientCertificate: "required", handle: async () => 1 });
    harness.onClose(() => server.close());
    const { port } = await server.listen(0, "127.0.0.1");
    const peer = { name: "web1", address: "127.0.0.1", port };
    const wire = harness.client();
    await expect(wire.call(peer, "a.b", [])).rejects.toMatchObject({ reason: "tls" });
    server.setCredentials(harness.minion);
    expect(await wire.call(peer, "a.b", [])).toBe(1);
    const renewed = harness.authority.issue({ uri: "func:minion:web2", usage: "serverAuth" });
    server.setCredentials(renewed);
    expect(await wire.call({ ...peer, name: "web2" }, "a.b", [])).toBe(1);
  });

  it("says who else has the port", async () => {
    const peer = await harness.serve();
    const second = new RpcServer({
      ...harness.minion,
      clientCertificate: "none",
      handle: async () => 1,
    });
    await expect(second.listen(peer.port, "127.0.0.1")).rejects.toMatchObject({
      reason: "unavailable",
      message: expect.stringContaining(String(peer.port)) as string,
    });
  });

  it("ends at once, calls under way included", async () => {
    let started: () => void = () => undefined;
    const running = new Promise<void>((resolve) => (started = resolve));
    const server = new RpcServer({
      ...harness.minion,
      clientCertificate: "required",
      handle: () => {
        started();
        return new Promise(() => undefined);
      },
    });
    const { port } = await server.listen(0, "127.0.0.1");
    const call = harness.client().call({ name: "web1", address: "127.0.0.1", port }, "a.b", []);
    const failed = expect(call).rejects.toMatchObject({ reason: "broken-answer" });
    await running;
    await server.close();
    await failed;
  });
});

describe("fetchPresentedChain", () => {
  it("gives leaf and root, and sends nothing", async () => {
    const refusals: string[] = [];
    const peer = await harness.serve({ onRefused: (reason) => refusals.push(reason) });
    const chain = await fetchPresentedChain({ ...peer, timeoutMs: 5_000 });
    expect(chain.map((certificate) => certificate.subject)).toEqual([
      "CN=func:minion:web1",
      "CN=test CA",
    ]);
  });

  it("names what failed", async () => {
    const peer = await harness.rawTcp((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await expect(fetchPresentedChain({ ...peer, timeoutMs: 5_000 })).rejects.toMatchObject({
      reason: "tls",
    });
    const silent = await harness.rawTcp(() => undefined);
    await expect(fetchPresentedChain({ ...silent, timeoutMs: 500 })).rejects.toMatchObject({
      reason: "timed-out",
    });
  });
});
