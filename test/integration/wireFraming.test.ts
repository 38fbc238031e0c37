import { request as httpsRequest } from "node:https";
import type { TLSSocket } from "node:tls";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { decodeResponse } from "../../server/wire/decode";
import { encodeCall, encodeResponse } from "../../server/wire/encode";
import type { HttpResponse } from "../../server/wire/httpResponse";
import { HttpResponseParser } from "../../server/wire/httpResponse";
import type { RpcRequest } from "../../server/wire/rpcServer";
import type { WirePeer } from "../../server/wire/wireClient";
import { httpAnswer, WireHarness } from "../fixtures/wireHarness";

const harness = new WireHarness();
afterEach(() => harness.close());

/** Writes `pieces` and reads one answer. */
async function ask(socket: TLSSocket, ...pieces: (string | Buffer)[]): Promise<HttpResponse> {
  const parser = new HttpResponseParser(1e8);
  return new Promise((resolve, reject) => {
    const onData = (piece: Buffer): void => {
      const response = parser.push(piece);
      if (!response) return;
      socket.off("data", onData);
      resolve(response);
    };
    socket.on("data", onData).once("close", () => reject(new Error("closed")));
    for (const piece of pieces) socket.write(piece);
  });
}

function post(body: Buffer, path = "/RPC2", headers = ""): string {
  return `POST ${path} HTTP/1.1\r\nHost: web1:51234\r\nAccept-Encoding: gzip\r\nContent-Type: text/xml\r\n${headers}Content-Length: ${body.length}\r\n\r\n`;
}

describe("a client like the original's", () => {
  it("gets small chunks in small TLS records, and its connection stays open", async () => {
    const requests: RpcRequest[] = [];
    const direct = await harness.serve({
      handle: async (request) => {
        requests.push(request);
        return "y".repeat(50_000);
      },
    });
    const tap = await harness.tap(direct);
    const socket = await harness.connectRaw(tap.peer, { maxVersion: "TLSv1.2" });
    const body = encodeCall("a.b", []);
    for (const path of ["/RPC2", "/"]) {
      const response = await ask(socket, post(body, path, "Func-Call: forged\r\n"), body);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe("text/xml");
      expect(response.headers.get("transfer-encoding")).toBe("chunked");
      expect(response.headers.get("connection") ?? "").not.toMatch(/close/);
      expect(response.keepAlive).toBe(true);
      expect(decodeResponse(response.body)).toEqual({ value: "y".repeat(50_000) });
    }
    const records = tap.down();
    expect(records.length).toBeGreaterThan(100);
    expect(Math.max(...records)).toBeLessThanOrEqual(1_024 + 100);
    expect(requests.map(({ connection, callId }) => [connection.native, callId])).toEqual([
      [false, undefined],
      [false, undefined],
    ]);
  });

  it("gets 404 for other paths and 501 for other methods", async () => {
    const peer = await harness.serve();
    const body = encodeCall("a.b", []);
    expect(await ask(await harness.connectRaw(peer), post(body, "/other"), body)).toMatchObject({
      status: 404,
    });
    const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    const socket = await harness.connectRaw(peer);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    expect(await ask(socket, get)).toMatchObject({ status: 501 });
    await closed;
  });

  it("may send gzip and chunks", async () => {
    const peer = await harness.serve();
    const socket = await harness.connectRaw(peer);
    const body = encodeCall("a.b", ["x".repeat(5_000)]);
    const packed = gzipSync(body);
    const unzipped = await ask(socket, post(packed, "/", "Content-Encoding: gzip\r\n"), packed);
    expect(decodeResponse(unzipped.body)).toEqual({ value: ["x".repeat(5_000)] });
    const chunks = await ask(
      socket,
      "POST /RPC2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
      `${body.length.toString(16)}\r\n`,
      body,
      "\r\n0\r\n\r\n",
    );
    expect(decodeResponse(chunks.body)).toEqual({ value: ["x".repeat(5_000)] });
  });

  it("gets a fault for what is not XML-RPC, 400 for what is not gzip", async () => {
    const peer = await harness.serve();
    const socket = await harness.connectRaw(peer);
    const junk = Buffer.from("<!DOCTYPE a><methodCall/>");
    const response = await ask(socket, post(junk), junk);
    expect(decodeResponse(response.body)).toMatchObject({
      fault: { code: 1, message: expect.stringContaining("ExpatError") as string },
    });
    const other = await harness.connectRaw(peer);
    const damaged = await ask(other, post(junk, "/", "Content-Encoding: gzip\r\n"), junk);
    expect(damaged.status).toBe(400);
  });
});

describe("the server's bounds", () => {
  const small = { limits: { maxBytes: 10_000 } };

  it("are told by 413: a length, chunks without end, gzip that grows", async () => {
    const peer = await harness.serve(small);
    const long = Buffer.alloc(20_000, "x");
    const waiting = await harness.connectRaw(peer);
    const closed = new Promise((resolve) => waiting.once("close", resolve));
    expect(await ask(waiting, post(long))).toMatchObject({ status: 413 });
    await closed;
    const chunk = `1000\r\n${"x".repeat(4_096)}\r\n`;
    expect(
      await ask(
        await harness.connectRaw(peer),
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        chunk.repeat(3),
      ),
    ).toMatchObject({ status: 413 });
    const bomb = gzipSync(Buffer.alloc(5_000_000));
    expect(bomb.length).toBeLessThan(10_000);
    expect(
      await ask(
        await harness.connectRaw(peer),
        post(bomb, "/", "Content-Encoding: gzip\r\n"),
        bomb,
      ),
    ).toMatchObject({ status: 413 });
  });

  it("end connections that talk nonsense or ask before they were answered", async () => {
    const peer = await harness.serve({ handle: () => new Promise(() => undefined) });
    const body = encodeCall("a.b", []);
    for (const nonsense of [
      "\u0000\u0001\u0002\r\n\r\n",
      `POST / HTTP/1.1\r\nA: ${"a".repeat(20_000)}\r\n\r\n`,
      post(body) + body.toString() + post(body) + body.toString(),
    ]) {
      await expect(ask(await harness.connectRaw(peer), nonsense)).rejects.toThrow("closed");
    }
  });

  it("answer a request that comes when the answer before it is still on its way out", async () => {
    let calls = 0;
    const large = Array.from({ length: 400 }, () => "x".repeat(50_000));
    const peer = await harness.serve({ handle: async () => (++calls === 1 ? large : calls) });
    const socket = await harness.connectRaw(peer, { ALPNProtocols: ["func/1"] });
    const body = encodeCall("a.b", []);
    socket.pause().write(post(body) + body.toString());
    await expect.poll(() => calls).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 100)); // its document is made and under way
    const answered = new Promise<number>((resolve, reject) => {
      let bytes = 0;
      let end = "";
      socket.once("close", () => reject(new Error("closed")));
      socket.on("data", (piece: Buffer) => {
        bytes += piece.length;
        end = (end + piece.toString("latin1")).slice(-1_000);
        if (end.includes("<int>2</int>")) resolve(bytes);
      });
      socket.pause();
    });
    socket.write(post(body) + body.toString());
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.resume();
    expect(await answered).toBeGreaterThan(20_000_000);
    expect(calls).toBe(2);
  });

  it("give up the connection that has been idle for longest for a new one, never one with a call", async () => {
    const peer = await harness.serve({
      maxConnections: 2,
      handle: () => new Promise(() => undefined),
    });
    const closed: string[] = [];
    const open = async (name: string): Promise<TLSSocket> => {
      const socket = await harness.connectRaw(peer);
      socket.once("close", () => closed.push(name));
      return socket;
    };
    const busy = await open("busy");
    const body = encodeCall("a.b", []);
    busy.write(post(body));
    busy.write(body);
    await open("idle");
    await open("third");
    await expect.poll(() => closed).toEqual(["idle"]);
    const last = await open("fourth");
    await expect.poll(() => closed).toEqual(["idle", "third"]);
    expect(busy.destroyed || last.destroyed).toBe(false);
  });
});

describe("a server like the original's", () => {
  it("gets headers and body in TLS records of their own, and no Func-Call", async () => {
    let received = "";
    const direct = await harness.rawTls(
      (socket) => {
        socket.on("data", (piece: Buffer) => {
          received += piece.toString();
          if (received.includes("</methodCall>")) socket.write(httpAnswer(encodeResponse(1)));
        });
      },
      { maxVersion: "TLSv1.2" },
    );
    const tap = await harness.tap(direct);
    const wire = harness.client();
    expect(await wire.call(tap.peer, "a.b", ["x".repeat(9_000)], { callId: "id" })).toBe(1);
    expect(wire.isNative(tap.peer)).toBe(false);
    expect(received).toMatch(/^POST \/RPC2 HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n/);
    expect(received).not.toMatch(/func-call|accept-encoding/i);
    const [head, body] = tap.up();
    expect(head).toBeLessThan(400);
    expect(body).toBeGreaterThan(9_000);
  });
});

describe("Node's own client", () => {
  it("is answered", async () => {
    const peer: WirePeer = await harness.serve();
    const { key, certificate, ca } = harness.overlord;
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const request = httpsRequest(
        {
          host: peer.address,
          port: peer.port,
          method: "POST",
          path: "/RPC2",
          key,
          cert: certificate,
          ca,
          agent: false,
          checkServerIdentity: () => undefined,
        },
        (response) => {
          response.resume().once("end", () => resolve(response.statusCode));
        },
      );
      request.once("error", reject).end(encodeCall("a.b", []));
    });
    expect(status).toBe(200);
  });
});
