import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { FuncError } from "../../server/common/errors";
import { encodeResponse } from "../../server/wire/encode";
import { callErrorOf } from "../../server/wire/remoteError";
import type { CallOptions, WireClient, WirePeer } from "../../server/wire/wireClient";
import { httpAnswer, WireHarness } from "../fixtures/wireHarness";

const harness = new WireHarness();
afterEach(() => harness.close());

/** The reason, the original's type and the message of a call that must fail. */
async function failure(
  peer: WirePeer,
  options: CallOptions = {},
  wire = harness.client(),
): Promise<{ reason: string; type: string; message: string }> {
  const error: unknown = await wire
    .call(peer, "a.b", [], options)
    .catch((reason: unknown) => reason);
  if (!(error instanceof FuncError)) throw new Error(`not a FuncError: ${String(error)}`);
  const { type, message } = callErrorOf(error, peer);
  expect(message).toContain(`web1 (${peer.address}:${peer.port})`);
  if (error.reason !== "cancelled") expect(error.nextStep).toBeTruthy();
  return { reason: error.reason, type, message };
}

async function answering(answer: string | Buffer, end = false): Promise<WirePeer> {
  return harness.rawTls((socket) => {
    socket.once("data", () => {
      socket.write(answer);
      if (end) socket.end();
    });
  });
}

describe("a peer that cannot be reached", () => {
  it("has no listener", async () => {
    const gone = await harness.rawTcp(() => undefined);
    await harness.close();
    expect(await failure(gone)).toMatchObject({
      reason: "refused",
      type: "socket.error",
      message: expect.stringMatching(/^\[Errno 111\] Connection refused: web1 /) as string,
    });
  });

  it("has a name that nobody knows", async () => {
    const peer = { name: "web1", address: "no-such-host.invalid", port: 51234 };
    expect(await failure(peer)).toMatchObject({
      reason: "name-not-found",
      type: "socket.gaierror",
      message: expect.stringMatching(/^\[Errno -[23]\].*no-such-host\.invalid/) as string,
    });
  });

  it("has a port or address that can be none", async () => {
    for (const peer of [
      { name: "web1", address: "127.0.0.1", port: 70_000 },
      { name: "web1", address: "", port: 51234 },
    ]) {
      expect(await failure(peer)).toMatchObject({ reason: "bad-argument" });
    }
  });

  it("does not finish the handshake", async () => {
    const peer = await harness.rawTcp(() => undefined);
    expect(await failure(peer, { connectTimeoutMs: 500 })).toMatchObject({
      reason: "timed-out",
      type: "socket.timeout",
      message: expect.stringContaining("Nothing was run") as string,
    });
  });

  it("does not speak TLS, or hangs up in the handshake", async () => {
    const plain = createServer((_request, response) => response.end("hello"));
    await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
    harness.onClose(() => {
      plain.close();
    });
    const { port } = plain.address() as AddressInfo;
    const peers = [
      { name: "web1", address: "127.0.0.1", port },
      await harness.rawTcp((socket) => socket.destroy()),
      await harness.rawTcp((socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n")),
    ];
    for (const peer of peers) {
      expect(await failure(peer)).toMatchObject({ reason: "tls", type: "OpenSSL.SSL.Error" });
    }
  });

  it("wants another client certificate, which TLS 1.3 says only after the handshake", async () => {
    const peer = await harness.rawTls((socket) => socket.resume(), {
      requestCert: true,
      rejectUnauthorized: true,
    });
    const wire = harness.client({ key: undefined, certificate: undefined });
    expect((await failure(peer, {}, wire)).reason).toMatch(/^(tls|broken-answer)$/);
  });
});

describe("a peer that does not answer", () => {
  it("in time: the call may have run", async () => {
    let calls = 0;
    const peer = await harness.serve({
      handle: async () => (calls++ === 0 ? 1 : new Promise(() => undefined)),
    });
    const wire = harness.client();
    await wire.call(peer, "a.b", []); // so that none of the short time is spent on connecting
    expect(await failure(peer, { timeoutMs: 100 }, wire)).toMatchObject({
      reason: "timed-out",
      type: "socket.timeout",
      message: expect.stringContaining("may have run") as string,
    });
  });

  it("because the call is cancelled, before or during it", async () => {
    const peer = await harness.serve({ handle: () => new Promise(() => undefined) });
    expect((await failure(peer, { signal: AbortSignal.abort() })).message).toContain(
      "nothing was sent",
    );
    const controller = new AbortController();
    const onSent = (): void => {
      setImmediate(() => controller.abort());
    };
    expect(await failure(peer, { signal: controller.signal, onSent })).toMatchObject({
      reason: "cancelled",
      message: expect.stringContaining("may have run") as string,
    });
    const wire = harness.client();
    const closing = failure(peer, { onSent: () => setImmediate(() => wire.close()) }, wire);
    expect(await closing).toMatchObject({ reason: "cancelled" });
    expect(await failure(peer, {}, wire)).toMatchObject({ reason: "cancelled" });
  });

  it("because what is to be told before sending fails", async () => {
    const peer = await harness.serve();
    const wire = harness.client();
    const onSent = (): never => {
      throw new FuncError("internal", "the journal is full");
    };
    for (let call = 0; call < 2; call++) {
      await expect(wire.call(peer, "a.b", [], { onSent })).rejects.toMatchObject({
        reason: "internal",
      });
      expect(await wire.call(peer, "a.b", [])).toEqual([]);
    }
  });
});

describe("an answer that is none", () => {
  const xml = encodeResponse("x");
  const answers: [string, string | Buffer, RegExp][] = [
    ["another protocol", "220 mail.example ESMTP\r\n", /no HTTP/],
    ["HTTP 0.9", "<html></html>", /no HTTP/],
    ["a status", httpAnswer("", "HTTP/1.1 500 Internal Server Error"), /status 500/],
    ["a redirect", httpAnswer("", "HTTP/1.1 302 Found\r\nLocation: /"), /status 302/],
    ["HTML", httpAnswer("<html><body>hi</body></html>"), /no <methodResponse>/],
    ["nothing", httpAnswer(""), /cannot be read/],
    [
      "a malformed header",
      Buffer.concat([Buffer.from("HTTP/1.1 200 OK\r\nbad header\r\n\r\n")]),
      /header/,
    ],
    ["two lengths", httpAnswer(xml, "HTTP/1.1 200 OK\r\nContent-Length: 5"), /Content-Length/],
    [
      "length and chunks",
      httpAnswer(xml, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"),
      /transfer encoding/,
    ],
    ["bad chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", /chunk size/],
    [
      "a chunk that lies",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
      /chunk/,
    ],
    ["headers without end", `HTTP/1.1 200 OK\r\nA: ${"a".repeat(70_000)}`, /headers of more than/],
    ["an unknown coding", httpAnswer(xml, "HTTP/1.1 200 OK\r\nContent-Encoding: br"), /"br"/],
    [
      "damaged gzip",
      httpAnswer("xx", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip"),
      /cannot be read/,
    ],
  ];
  it.each(answers)("%s", async (_what, answer, message) => {
    const result = await failure(await answering(answer));
    expect(result.reason).toBe("broken-answer");
    expect(result.message).toMatch(message);
  });

  it("has the original's type for bad XML", async () => {
    const peer = await answering(httpAnswer("<methodResponse>"));
    expect(await failure(peer)).toMatchObject({ type: "xml.parsers.expat.ExpatError" });
    const status = await answering(httpAnswer("", "HTTP/1.1 500 No"));
    expect(await failure(status)).toMatchObject({ type: "xmlrpclib.ProtocolError" });
  });

  it("ends in the middle, or before it began", async () => {
    const whole = httpAnswer(xml);
    const half = await failure(await answering(whole.subarray(0, whole.length - 5), true));
    expect(half).toMatchObject({ reason: "broken-answer" });
    expect(half.message).toMatch(/middle of its answer.*may have run/);
    const none = await failure(await answering("", true));
    expect(none.message).toMatch(/without an answer.*may have run/);
  });

  it("is larger than the limit, as it says or as it comes, packed or not", async () => {
    const big = encodeResponse("x".repeat(10_000));
    const wire = (): WireClient => harness.client({ limits: { maxBytes: 5_000 } });
    const chunked = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n${"x".repeat(4096)}\r\n1000\r\n`;
    for (const answer of [
      httpAnswer(big),
      chunked,
      `HTTP/1.0 200 OK\r\n\r\n${"x".repeat(10_000)}`,
      httpAnswer(gzipSync(big), "HTTP/1.1 200 OK\r\nContent-Encoding: gzip"),
    ]) {
      const result = await failure(await answering(answer), {}, wire());
      expect(result.reason).toBe("too-large");
    }
  });
});

describe("answers in other clothes", () => {
  const xml = encodeResponse(42);
  it.each<[string, string | Buffer, boolean]>([
    ["gzip", httpAnswer(gzipSync(xml), "HTTP/1.1 200 OK\r\nContent-Encoding: gzip"), false],
    ["HTTP/1.0 until the end", `HTTP/1.0 200 OK\r\n\r\n${xml.toString()}`, true],
    [
      "100 Continue first",
      Buffer.concat([Buffer.from("HTTP/1.1 100 Continue\r\n\r\n"), httpAnswer(xml)]),
      false,
    ],
    [
      "chunks with extensions and trailers",
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\n${xml.toString().slice(0, 5)}\r\n` +
        `${(xml.length - 5).toString(16)}\r\n${xml.toString().slice(5)}\r\n0\r\nA: b\r\n\r\n`,
      false,
    ],
  ])("%s", async (_what, answer, end) => {
    const wire = harness.client();
    expect(await wire.call(await answering(answer, end), "a.b", [])).toBe(42);
  });

  it("byte by byte", async () => {
    const peer = await harness.rawTls((socket) => {
      socket.setNoDelay(true).once("data", () => {
        const bytes = httpAnswer(xml);
        const next = (at: number): void => {
          if (at < bytes.length) socket.write(bytes.subarray(at, at + 1), () => next(at + 1));
        };
        next(0);
      });
    });
    expect(await harness.client().call(peer, "a.b", [])).toBe(42);
  });
});
