import { StreamMessageReader } from "vscode-jsonrpc/node";
import { PassThrough } from "node:stream";
import { isDeepStrictEqual } from "node:util";
import type { HttpResponse } from "../../server/wire/httpResponse";
import { HttpResponseParser } from "../../server/wire/httpResponse";
import { FrameBounds } from "../../server/overlord/frameBounds";
import type { FuzzTarget, Verdict } from "./fuzzTarget";
import { insist, verdictOf } from "./fuzzTarget";
import { cutInPieces, mutate } from "./mutation";

const RESPONSES = [
  "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 5\r\n\r\nhello",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n",
  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
  "HTTP/1.0 200 OK\r\n\r\nuntil the end",
  "HTTP/1.1 403 Forbidden\r\nFunc-Refused: no\r\nContent-Length: 0\r\n\r\n",
] as const;
const HTTP_WORDS = ["\r\n", "\r\n\r\n", "\n", ":", " ", "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n", "HTTP/1.1", "0\r\n\r\n", "ffffffff", "-1", "1e3", ";", "\t", "\u0000", "é", "HTTP/1.1 200 OK\r\n"] as const; // prettier-ignore

/** An answer is the same however it is cut. */
const responses: FuzzTarget = {
  name: "HTTP answers",
  make: (random) => mutate(random, Buffer.from(random.pick(RESPONSES)), HTTP_WORDS),
  check: (input, random) => {
    const whole = verdictOf(() => parsed([input]));
    const cut = verdictOf(() => parsed(cutInPieces(random, input)));
    // what follows a whole answer may come with it or later
    insist(isDeepStrictEqual(comparable(whole), comparable(cut)), "cut, it is another answer");
  },
};

function parsed(pieces: readonly Buffer[]): HttpResponse | undefined {
  const parser = new HttpResponseParser(1_000);
  for (const piece of pieces) {
    const response = parser.push(piece);
    if (response) return response;
  }
  return parser.end();
}

function comparable(verdict: Verdict<HttpResponse | undefined>): unknown {
  if (!("value" in verdict) || !verdict.value) return verdict;
  const { status, headers, body } = verdict.value;
  return { status, headers, body: body.toString("latin1") };
}

const FRAMES = ["{}", '{"jsonrpc":"2.0","id":1,"method":"a","params":{}}', "[]", '"é"'] as const;
const FRAME_WORDS = ["\r\n", "\r\n\r\n", "Content-Length: 2\r\n", "Content-Type: a; charset=utf-8\r\n", "{}", "é", "99999999999", "-1", " ", ":", "\u0000"] as const; // prettier-ignore

/** What the bounds accept, the library's reader understands in the same way. */
const frames: FuzzTarget = {
  name: "JSON-RPC frames",
  make: (random) => {
    const all = Array.from({ length: 1 + random.below(3) }, () => random.pick(FRAMES));
    const stream = all.map((text) => `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    return mutate(random, Buffer.from(stream.join("")), FRAME_WORDS);
  },
  check: async (input, random) => {
    const byByte = acceptedBytes(cutInto(input, 1));
    const pieces = cutInPieces(random, input);
    const bounds = new FrameBounds(1_000);
    const passed: Buffer[] = [];
    for (const piece of pieces) {
      if (!bounds.accept(piece)) break;
      passed.push(piece);
    }
    const length = Buffer.concat(passed).length;
    insist(length <= byByte, "more is accepted in pieces than byte by byte");
    await read(passed);
  },
};

function acceptedBytes(pieces: readonly Buffer[]): number {
  const bounds = new FrameBounds(1_000);
  let bytes = 0;
  for (const piece of pieces) {
    if (!bounds.accept(piece)) break;
    bytes += piece.length;
  }
  return bytes;
}

function cutInto(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}

/** Reads with the library; nothing but its own error events may come of it. */
async function read(pieces: readonly Buffer[]): Promise<void> {
  const stream = new PassThrough();
  const reader = new StreamMessageReader(stream);
  reader.onError(() => undefined);
  reader.listen(() => undefined);
  for (const piece of pieces) stream.write(piece);
  await new Promise<void>((resolve) => setImmediate(resolve));
  reader.dispose();
  stream.destroy();
}

export const FRAMING_TARGETS: readonly FuzzTarget[] = [responses, frames];
