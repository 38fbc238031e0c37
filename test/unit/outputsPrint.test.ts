import { createHash } from "node:crypto";
import { PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonPieces } from "../../server/cli/jsonPieces";
import { LineIndenter } from "../../server/cli/lineIndenter";
import type { Piece } from "../../server/cli/pieces";
import { plainJson } from "../../server/cli/plainJson";
import { printPieces } from "../../server/cli/printPieces";
import { renderResult } from "../../server/cli/render";
import { Sink } from "../../server/cli/sink";
import {
  expandJson,
  outputChunks,
  readOutput,
  type OutputReader,
} from "../../server/client/outputs";
import type { OutputRef } from "../../server/protocol/outputs";
import type { JsonValue } from "../../server/protocol/value";

/** Keeps outputs, and answers ranges of at most `most` bytes, so that characters are cut anywhere. */
class FakeOverlord implements OutputReader {
  readonly #outputs = new Map<string, Buffer>();
  reads = 0;

  constructor(private readonly most: number) {}

  add(content: string | Uint8Array, kind: OutputRef["kind"]): JsonValue {
    const bytes = Buffer.from(content);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    this.#outputs.set(sha256, bytes);
    return { $output: { sha256, bytes: bytes.length, kind, head: "" } };
  }

  request(
    _method: "outputs/read",
    { sha256, offset, length }: { sha256: string; offset: number; length: number },
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<{ base64: string; bytes: number }> {
    this.reads++;
    if (signal?.aborted) return Promise.reject(new Error("cancelled"));
    const bytes = this.#outputs.get(sha256) ?? Buffer.alloc(0);
    const range = bytes.subarray(offset, offset + Math.min(length, this.most));
    return Promise.resolve({ base64: range.toString("base64"), bytes: bytes.length });
  }
}

async function printed(
  overlord: OutputReader,
  pieces: Iterable<Piece>,
  isTTY = false,
): Promise<Buffer> {
  const stream: PassThrough & { isTTY?: boolean } = new PassThrough();
  stream.isTTY = isTTY;
  const all = buffer(stream);
  await printPieces(new Sink(stream), overlord, pieces);
  stream.end();
  return all;
}

const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({
    unit: fc.constantFrom("a", "\n", "\r", "\x1b", "ü", "世", "🌍", '"', "\\", "\u202e"),
  }),
);
const most = fc.integer({ min: 1, max: 7 });

describe("large outputs for people", () => {
  it("look like small ones, wherever they are cut", async () => {
    await fc.assert(
      fc.asyncProperty(text, text, most, async (stdout, stderr, size) => {
        const overlord = new FakeOverlord(size);
        const small = await printed(overlord, renderResult("a", [1, stdout, stderr]));
        const large: JsonValue = [1, overlord.add(stdout, "text"), stderr];
        expect((await printed(overlord, renderResult("a", large))).toString()).toBe(
          small.toString(),
        );
      }),
    );
  });

  it("keep the shape of what they stand in", async () => {
    await fc.assert(
      fc.asyncProperty(text, most, async (log, size) => {
        const overlord = new FakeOverlord(size);
        // two lines at least: an output is never put behind its key
        const content = `x\ny${log}`;
        const value = (item: JsonValue): JsonValue => ({ a: [1, [item], { b: item }], c: item });
        const small = await printed(overlord, renderResult("a", value(content)));
        const output = overlord.add(content, "text");
        expect((await printed(overlord, renderResult("a", value(output)))).toString()).toBe(
          small.toString(),
        );
      }),
    );
  });

  it("are inert on a terminal, as small ones are", async () => {
    await fc.assert(
      fc.asyncProperty(text, most, async (stdout, size) => {
        const overlord = new FakeOverlord(size);
        const small = await printed(overlord, renderResult("a", [0, stdout, ""]), true);
        const large: JsonValue = [0, overlord.add(stdout, "text"), ""];
        expect((await printed(overlord, renderResult("a", large), true)).toString()).toBe(
          small.toString(),
        );
        expect(small.toString()).not.toMatch(/[^\P{Cc}\t\n]/u);
      }),
    );
  });

  it("of a command are exact bytes, but never on a terminal", async () => {
    const overlord = new FakeOverlord(3);
    const bytes = Buffer.from([0xff, 0, 0x0a, 0x0a, 0xe2, 0x82, 0x41]);
    const shown = Buffer.concat([
      Buffer.from("a: exit status 0\n    \xff\0\n\n    ", "latin1"),
      bytes.subarray(4),
      Buffer.from("\n"),
    ]);
    const small: JsonValue = [0, { $base64: bytes.toString("base64") }, ""];
    const large: JsonValue = [0, overlord.add(bytes, "bytes"), ""];
    for (const value of [small, large]) {
      expect(await printed(overlord, renderResult("a", value))).toEqual(shown);
      expect((await printed(overlord, renderResult("a", value), true)).toString()).toBe(
        `a: exit status 0\n    (7 bytes, no text: use --raw)\n`,
      );
    }
    // of other methods they have the form that small ones have
    for (const item of [overlord.add(bytes, "bytes"), { $base64: bytes.toString("base64") }]) {
      expect((await printed(overlord, renderResult("a", [item, 1]))).toString()).toBe(
        "a:\n    - (7 bytes, no text: use --raw)\n    - 1\n",
      );
    }
  });

  it("are text with codes on a terminal, where some bytes are no UTF-8", async () => {
    const overlord = new FakeOverlord(2);
    const bytes = Buffer.from("Gr\xfc\xdfe\n\x1b[1m, M\xfcller\n", "latin1");
    const shown = "Gr\\xfc\\xdfe\n    \\x1b[1m, M\\xfcller\n";
    for (const item of [overlord.add(bytes, "bytes"), { $base64: bytes.toString("base64") }]) {
      expect((await printed(overlord, renderResult("a", [0, item, ""]), true)).toString()).toBe(
        `a: exit status 0\n    ${shown}`,
      );
      expect((await printed(overlord, renderResult("a", item), true)).toString()).toBe(
        `a:\n    ${shown}`,
      );
    }
  });
});

describe("large outputs in JSON", () => {
  it("are the strings that small ones are", async () => {
    await fc.assert(
      fc.asyncProperty(text, fc.uint8Array(), most, async (log, bytes, size) => {
        const overlord = new FakeOverlord(size);
        const base64 = Buffer.from(bytes).toString("base64");
        const value = (a: JsonValue, b: JsonValue): JsonValue => ({
          a: [a, { $double: 3 }],
          lone: { $struct: { $output: b } },
        });
        const large = value(overlord.add(log, "text"), overlord.add(bytes, "bytes"));
        const small = value(log, { $base64: base64 });
        for (const [typed, wanted] of [
          [false, plainJson(small)],
          [true, small],
        ] as const) {
          const json = await printed(overlord, jsonPieces(large, typed));
          expect(JSON.parse(json.toString())).toEqual(wanted);
        }
      }),
    );
  });

  it("that hold a whole value are read as that value", async () => {
    const overlord = new FakeOverlord(5);
    const value: JsonValue = { log: overlord.add("line\n", "text"), n: [1, null, "ü"] };
    const ref = overlord.add(JSON.stringify(value), "json");
    expect(await expandJson(overlord, ref)).toEqual(value);
    expect(await expandJson(overlord, value)).toBe(value);
    await expect(expandJson(overlord, ref, { maxBytes: 10 })).rejects.toMatchObject({
      reason: "too-large",
    });
  });
});

describe("outputChunks", () => {
  const ref = (value: JsonValue): OutputRef =>
    (value as { $output: JsonValue }).$output as unknown as OutputRef;

  it("reads ranges exactly", async () => {
    const overlord = new FakeOverlord(4);
    const output = ref(overlord.add("0123456789", "text"));
    expect((await readOutput(overlord, output)).toString()).toBe("0123456789");
    expect((await readOutput(overlord, output, { offset: 3, length: 5 })).toString()).toBe("34567");
    expect((await readOutput(overlord, output, { offset: 8, length: 5 })).toString()).toBe("89");
    expect((await readOutput(overlord, output, { offset: 10 })).toString()).toBe("");
  });

  it("reads one ahead and no more", async () => {
    const overlord = new FakeOverlord(1);
    const chunks = outputChunks(overlord, ref(overlord.add("0123456789", "text")));
    await chunks.next();
    expect(overlord.reads).toBe(2);
    await chunks.return();
    expect(overlord.reads).toBe(2);
  });

  it("fails where bytes are missing or are others than promised", async () => {
    const overlord = new FakeOverlord(4);
    const output = ref(overlord.add("0123456789", "text"));
    await expect(readOutput(overlord, { ...output, bytes: 11 })).rejects.toMatchObject({
      reason: "unavailable",
    });
    await expect(readOutput(overlord, { ...output, bytes: 9 })).rejects.toMatchObject({
      reason: "bad-data",
    });
  });
});

it("LineIndenter puts something in front of lines however they are cut", () => {
  const cut = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "\n") }));
  fc.assert(
    fc.property(cut, fc.boolean(), (chunks, bareWhereEmpty) => {
      const indenter = new LineIndenter({ first: "- ", rest: "  ", bareWhereEmpty });
      const whole = chunks.join("");
      const lines = whole === "" ? [] : whole.replace(/\n$/, "").split("\n");
      const wanted = lines.map((line, at) =>
        bareWhereEmpty && line === "" ? "\n" : `${at === 0 ? "- " : "  "}${line}\n`,
      );
      expect(chunks.map((chunk) => indenter.take(chunk)).join("") + indenter.end()).toBe(
        wanted.join(""),
      );
    }),
  );
});
