import { createHash, randomBytes } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { isDeepStrictEqual } from "node:util";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { FuncError } from "../../server/common/errors";
import { encodeFault, encodeResponse } from "../../server/wire/encode";
import type { OutputWriter } from "../../server/wire/outputSpool";
import { asRemoteError, remoteError } from "../../server/wire/remoteError";
import type { RpcConnection } from "../../server/wire/rpcServer";
import { XmlRpcSpooled } from "../../server/wire/value";
import type { WirePeer } from "../../server/wire/wireClient";
import { FolderSpool } from "../fixtures/folderSpool";
import { httpAnswer, WireHarness } from "../fixtures/wireHarness";

const harness = new WireHarness();
afterEach(() => harness.close());

const MEGABYTE = 1_000_000;

function spoolOf(): FolderSpool {
  const spool = new FolderSpool();
  harness.onClose(() => {
    spool.remove();
  });
  return spool;
}

function sha256(value: string | Uint8Array): string {
  return createHash("sha256").update(value).digest("hex");
}

/** Settles once the spool holds `count` files: what is discarded takes the disk a moment. */
async function filesOf(spool: FolderSpool, count: number): Promise<void> {
  await expect.poll(() => spool.files().length).toBe(count);
}

/** Every character of Unicode that XML can carry, in all planes. */
function everyCharacter(): string {
  const characters: string[] = [];
  for (let code = 0x20; code <= 0x10ffff; code++) {
    const isSurrogate = code >= 0xd800 && code < 0xe000;
    if (!isSurrogate && code !== 0xfffe && code !== 0xffff) {
      characters.push(String.fromCodePoint(code));
    }
  }
  return `\t\n\r${characters.join("")}`;
}

describe("an answer of 100 MB", () => {
  const lines = `${"<a href='x'>line & line</a>\t0123456789".repeat(2)}\r\n`;
  const values: Record<string, () => string | Uint8Array> = {
    "of plain text": () => "0123456789abcdef\n".repeat((100 * MEGABYTE) / 17),
    "of text with much to escape": () => lines.repeat((100 * MEGABYTE) / lines.length),
    "of bytes": () => {
      const block = randomBytes(MEGABYTE);
      return Buffer.concat(Array.from({ length: 100 }, () => block));
    },
    "of every character of Unicode": () => everyCharacter().repeat(23),
  };
  it.each(Object.keys(values))("%s goes to the spool whole", async (name) => {
    let value: string | Uint8Array | undefined = values[name]?.() ?? "";
    const [sum, bytes] = [sha256(value), Buffer.byteLength(value)];
    const peer = await harness.serve({ handle: async () => [0, value ?? "", "small"] });
    const spool = spoolOf();
    const answer = await harness.client({ spool }).call(peer, "a.b", [], { timeoutMs: 120_000 });
    value = undefined;
    if (!Array.isArray(answer)) throw new Error("no array");
    const [rc, output, error] = answer;
    expect([rc, error]).toEqual([0, "small"]);
    if (!(output instanceof XmlRpcSpooled)) throw new Error("not in the spool");
    expect(output).toMatchObject({ sha256: sum, bytes });
    expect(output.head.length).toBe(output.kind === "text" ? 4_000 : 0);
    expect(spool.files()).toEqual([sum]);
    expect(await spool.hashOf(sum)).toBe(sum);
  });
});

describe("outputs in the spool", () => {
  it("are texts and bytes of more than 64 KiB, wherever they stand", async () => {
    const text = "x".repeat(70_000);
    const value = { a: [text, text.slice(0, 60_000)], b: { c: `${text}\u0001` } };
    const peer = await harness.serve({ handle: async () => value });
    const spool = spoolOf();
    const answer = await harness.client({ spool }).call(peer, "a.b", []);
    expect(answer).toEqual({
      a: [new XmlRpcSpooled("text", sha256(text), 70_000, text.slice(0, 4_000)), value.a[1]],
      b: { c: new XmlRpcSpooled("bytes", sha256(value.b.c), 70_001, text.slice(0, 4_000)) },
    });
    await filesOf(spool, 2);
  });

  it("do not come of small answers, nor without a spool", async () => {
    const peer = await harness.serve();
    const spool = spoolOf();
    const small = ["x".repeat(60_000)];
    expect(await harness.client({ spool }).call(peer, "a.b", small)).toEqual(small);
    const large = ["x".repeat(3 * MEGABYTE), new Uint8Array(MEGABYTE)];
    const answer = await harness.client().call(peer, "a.b", large);
    expect(isDeepStrictEqual(answer, large)).toBe(true);
    expect(spool.files()).toEqual([]);
  });

  it("hold the message of an exception too, which is told by its beginning", async () => {
    const message = `boom ${"y".repeat(100_000)}`;
    const peer = await harness.serve({ handle: async () => remoteError("x.Error", message) });
    const answer = await harness.client({ spool: spoolOf() }).call(peer, "a.b", []);
    expect(asRemoteError(answer)?.message).toMatch(/^boom y{3995} \(100005 bytes, shortened\)$/);
  });

  it("leave the connection good for the next call", async () => {
    const connections = new Set<RpcConnection>();
    const peer = await harness.serve({
      handle: async ({ connection, params }) => {
        connections.add(connection);
        return params;
      },
    });
    const wire = harness.client({ spool: spoolOf() });
    for (let i = 0; i < 3; i++) {
      const answer = await wire.call(peer, "a.b", ["z".repeat(MEGABYTE)]);
      expect(Array.isArray(answer) && answer[0]).toBeInstanceOf(XmlRpcSpooled);
      expect(await wire.call(peer, "a.b", [i])).toEqual([i]);
    }
    expect(connections.size).toBe(1);
  });
});

/** What a broken peer does with the connection once it has been asked. */
type Talk = (socket: TLSSocket, document: Buffer) => void;

describe("nothing is left of an answer that", () => {
  const document = encodeResponse(["x".repeat(300_000), "y".repeat(3 * MEGABYTE)]);
  const head = (headers: string): string => `HTTP/1.1 200 OK\r\n${headers}\r\n\r\n`;
  const sized = head(`Content-Length: ${document.length}`);
  const cases: Record<string, { talk: Talk; says: RegExp; reason: string }> = {
    "ends early": {
      talk: (socket) => socket.end(Buffer.concat([Buffer.from(sized), document.subarray(0, 2e6)])),
      says: /closed the connection in the middle/,
      reason: "broken-answer",
    },
    "is no XML at its end": {
      talk: (socket) => {
        const bad = Buffer.from(document);
        bad.write("</oops>", bad.length - 40);
        socket.write(Buffer.concat([Buffer.from(sized), bad]));
      },
      says: /cannot be read: Not XML-RPC/,
      reason: "broken-answer",
    },
    "goes on for ever": {
      talk: (socket) => {
        socket.write(head("Transfer-Encoding: chunked"));
        const chunk = Buffer.from(`10000\r\n${"a".repeat(0x10000)}\r\n`);
        socket.write(`26\r\n<methodResponse><params><param><value>\r\n`);
        const more = (): void => {
          while (!socket.destroyed && socket.write(chunk));
        };
        socket.on("drain", more);
        more();
      },
      says: /larger than 10000000 bytes/,
      reason: "too-large",
    },
    "unpacks to too much": {
      talk: (socket) => {
        const bomb = Buffer.alloc(20 * MEGABYTE, "a");
        bomb.write("<methodResponse><params><param><value>");
        const packed = gzipSync(bomb);
        socket.write(head(`Content-Encoding: gzip\r\nContent-Length: ${packed.length + 10}`));
        socket.write(packed); // and never the last ten bytes
      },
      says: /unpacks to more than 100 times its size/,
      reason: "too-large",
    },
    "is damaged gzip": {
      talk: (socket) => {
        const packed = gzipSync(randomBytes(2 * MEGABYTE));
        packed.fill(0, 100_000, 100_100);
        socket.write(head(`Content-Encoding: gzip\r\nContent-Length: ${packed.length + 10}`));
        socket.write(packed);
      },
      says: /cannot be read/,
      reason: "broken-answer",
    },
    "is a fault": {
      talk: (socket) => socket.write(httpAnswer(encodeFault(3, "f".repeat(200_000)))),
      says: /^Fault 3: f{4000}$/,
      reason: "fault",
    },
  };
  it.each(Object.keys(cases))("%s", async (name) => {
    const { talk, says, reason } = cases[name] ?? { talk: () => undefined, says: /./, reason: "" };
    const peer = await answering(talk);
    const spool = spoolOf();
    const wire = harness.client({ spool, limits: { maxBytes: 10 * MEGABYTE } });
    const error: unknown = await wire.call(peer, "a.b", []).catch((thrown: unknown) => thrown);
    if (reason === "fault") expect(error).toMatchObject({ code: 3 });
    else expect(error).toMatchObject({ reason });
    expect((error as Error).message).toMatch(says);
    await filesOf(spool, 0);
  });

  it.each(["cancelled", "timed-out"])("is %s while it comes in", async (reason) => {
    const cancelling = new AbortController();
    const peer = await answering((socket) => {
      socket.write(Buffer.concat([Buffer.from(sized), document.subarray(0, 2e6)]));
    });
    const spool = spoolOf();
    const wire = harness.client({ spool });
    const call = wire.call(peer, "a.b", [], { signal: cancelling.signal, timeoutMs: 1_000 });
    const failed = expect(call).rejects.toMatchObject({ reason });
    await filesOf(spool, 2);
    if (reason === "cancelled") cancelling.abort();
    await failed;
    await filesOf(spool, 0);
  });

  /** A peer that talks once it has seen a whole request. */
  function answering(talk: Talk): Promise<WirePeer> {
    return harness.rawTls((socket) => {
      let asked = "";
      socket.on("data", (piece: Buffer) => {
        asked += piece.toString("latin1");
        if (asked.endsWith("</methodCall>\n")) talk(socket, document);
      });
    });
  }
});

describe("a disk that is full", () => {
  it("fails the call with the host's name, and says that it has run", async () => {
    let discarded = 0;
    const full = (): Promise<never> =>
      Promise.reject(new FuncError("unavailable", "The call has run, but the disk is full."));
    const writer: OutputWriter = {
      write: () => false,
      drained: full,
      finish: full,
      discard: async () => {
        discarded++;
      },
    };
    const spool = { create: () => writer, unclaim: () => undefined };
    const peer = await harness.serve({ handle: async () => "x".repeat(MEGABYTE) });
    await expect(harness.client({ spool }).call(peer, "a.b", [])).rejects.toMatchObject({
      reason: "unavailable",
      message: expect.stringMatching(
        /^web1 \(127.*The call has run, but the disk is full/,
      ) as string,
    });
    expect(discarded).toBe(1);
  });
});

describe("an answer of more than 256 MiB", () => {
  it("is not sent but refused, with its size", async () => {
    const peer = await harness.serve({ handle: async () => "&".repeat(60 * MEGABYTE) });
    await expect(harness.client().call(peer, "a.b", [])).rejects.toMatchObject({
      faultString: expect.stringMatching(
        /^a\.b has run, but its answer was not sent: it has 30000\d+ bytes, and at most 268435456/,
      ) as string,
    });
  });
});

describe("a request of more than 256 MiB", () => {
  it("is not sent", async () => {
    const peer = await harness.serve();
    const wire = harness.client();
    await expect(wire.call(peer, "a.b", ["&".repeat(60 * MEGABYTE)])).rejects.toMatchObject({
      reason: "bad-argument",
      message: expect.stringMatching(
        /a\.b make a request of 30000\d+ bytes.*Nothing was sent/,
      ) as string,
    });
  });
});
