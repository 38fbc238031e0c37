import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bufferSource } from "../../extension/results/byteSource";
import { partCount, partText } from "../../extension/results/documentParts";
import { resultWindow } from "../../extension/results/outputWindow";
import { resultParts, type ResultReader } from "../../extension/results/resultParts";
import { resultSource } from "../../extension/results/resultSource";
import type { MinionResult } from "../../server/protocol/jobs";
import type { OutputRef } from "../../server/protocol/outputs";
import type { JsonValue } from "../../server/protocol/value";

const outputs = new Map<string, Buffer>();

function output(content: string | Uint8Array, kind: OutputRef["kind"]): JsonValue {
  const bytes = Buffer.from(content);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  outputs.set(sha256, bytes);
  return { $output: { sha256, bytes: bytes.length, kind, head: "" } };
}

/** An overlord that has one result. */
function overlordWith(result: MinionResult): ResultReader {
  const request = (method: string, params: object): Promise<unknown> => {
    if (method === "jobs/result") return Promise.resolve(result);
    const { sha256, offset, length } = params as { sha256: string; offset: number; length: number };
    const bytes = outputs.get(sha256) ?? Buffer.alloc(0);
    const base64 = bytes.subarray(offset, offset + length).toString("base64");
    return Promise.resolve({ base64, bytes: bytes.length });
  };
  return { request: request as ResultReader["request"] };
}

function succeeded(value: JsonValue): MinionResult {
  return { minion: "web1", state: "succeeded", value };
}

async function fileOf(result: MinionResult, call: string, section?: string): Promise<Buffer> {
  const address = { jobId: "j", minion: "web1", call, section };
  const { source } = await resultSource(overlordWith(result), address);
  const bytes = await source.read(0, source.bytes);
  expect(bytes.length).toBe(source.bytes);
  return bytes;
}

describe("a result as a file", () => {
  const binary = Buffer.from([0, 0xff, 0x0a, 0xc3]);

  it("has a command's outputs byte for byte, and all of it with headings", async () => {
    const results = [
      succeeded([3, { $base64: binary.toString("base64") }, "err\n"]),
      succeeded([3, output(binary, "bytes"), output("err\n", "text")]),
      // both together were too large for a message
      succeeded(
        output(
          JSON.stringify([3, { $base64: binary.toString("base64") }, output("err\n", "text")]),
          "json",
        ),
      ),
    ];
    for (const result of results) {
      expect(await fileOf(result, "command.run", "stdout")).toEqual(binary);
      expect((await fileOf(result, "command.run", "stderr")).toString()).toBe("err\n");
      expect((await fileOf(result, "command.run")).toString("latin1")).toBe(
        `# Output (stdout)\n${binary.toString("latin1")}\n# Errors (stderr)\nerr\n\n# Exit status\n3`,
      );
    }
  });

  it("has an empty output where a command wrote nothing, and none where it did not run", async () => {
    expect(await fileOf(succeeded([0, "", ""]), "command.run", "stderr")).toHaveLength(0);
    const error = { type: "socket.error", message: "a: refused", trace: "", nextStep: "Start it." };
    const result: MinionResult = { minion: "web1", state: "unreachable", error };
    await expect(fileOf(result, "command.run", "stdout")).rejects.toMatchObject({
      reason: "not-found",
    });
    expect((await fileOf(result, "command.run")).toString()).toBe(
      "# Problem\na: refused\n# What to do\nStart it.\n# Error\nsocket.error",
    );
  });

  it("has texts and bytes as they are, other values as JSON, and large parts of those apart", async () => {
    expect((await fileOf(succeeded("text"), "test.echo")).toString()).toBe("text");
    expect((await fileOf(succeeded(output("large", "text")), "test.echo")).toString()).toBe(
      "large",
    );
    const value: JsonValue = { a: [output("first", "text"), 1], $struct: { b: true } };
    const file = (await fileOf(succeeded(value), "test.echo")).toString();
    expect(file).toContain('"(5 bytes: see \\"Result: a[0]\\" below)"');
    expect(file).toContain('"b": true');
    expect(file.endsWith("# Result: a[0]\nfirst")).toBe(true);
    const parts = await resultParts(overlordWith(succeeded(value)), succeeded(value), false);
    expect(parts.map(({ key }) => key)).toEqual(["value", "output1"]);
    const literal: JsonValue = { $struct: { $output: { sha256: "x" } } };
    expect(JSON.parse((await fileOf(succeeded(literal), "a.b")).toString())).toEqual(literal);
  });

  it("is read in windows by section", async () => {
    const reader = overlordWith(succeeded([0, output("a🌍b", "text"), ""]));
    expect(await resultWindow(reader, "j", "web1", "stdout", 1, 4)).toEqual({
      text: "🌍",
      offset: 1,
      nextOffset: 5,
      totalBytes: 6,
    });
    await expect(resultWindow(reader, "j", "web1", "nothing", 0, 4)).rejects.toMatchObject({
      reason: "not-found",
    });
  });
});

describe("the parts of a large document", () => {
  const PART = 200_000;

  it("follow each other without gap or overlap, and begin with a line where they can", async () => {
    const lines = fc.array(
      fc.tuple(fc.constantFrom("a", "ü", "世", "🌍"), fc.integer({ min: 0, max: 70_000 })),
      { minLength: 1, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(lines, async (sizes) => {
        const text = sizes.map(([unit, count]) => `${unit.repeat(count)}\n`).join("");
        const source = bufferSource(Buffer.from(text));
        const count = partCount(source.bytes, PART);
        const parts: string[] = [];
        for (let part = 1; part <= count; part++) {
          parts.push(await partText(source, part, undefined, PART));
        }
        expect(parts.join("")).toBe(text);
      }),
      { numRuns: 30 },
    );
    const short = Buffer.from("0123456789\n".repeat(50_000));
    for (const part of [1, 2]) {
      const text = await partText(bufferSource(short), part, undefined, PART);
      expect(text.startsWith("0123456789\n") && text.endsWith("\n")).toBe(true);
    }
  });

  it("are text that no editor takes for a binary file", async () => {
    const source = bufferSource(Buffer.from([0x61, 0, 0xff, 0x0a]));
    expect(await partText(source, 1)).toBe("a\u2400\ufffd\n");
    expect(partCount(0)).toBe(1);
    expect(await partText(bufferSource(Buffer.alloc(0)), 1)).toBe("");
  });
});
