import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { jsonPieces } from "../../server/jobs/outputs/jsonPieces";
import type { OutputFiles } from "../../server/jobs/outputs/outputFiles";
import { ValueKeeper } from "../../server/jobs/outputs/valueKeeper";
import { outputRefOf, type OutputRef } from "../../server/protocol/outputs";
import type { JsonValue } from "../../server/protocol/value";
import { toJson } from "../../server/wire/jsonValue";
import { openOutputs, spool } from "../fixtures/outputFolder";

const MIB = 1024 * 1024;
const LINES = "one line of output\n".repeat(2_000);

async function bytesOf(files: OutputFiles, ref: OutputRef | undefined): Promise<Buffer> {
  return (await files.read(ref?.sha256 ?? "", 0, ref?.bytes ?? 0)).bytes;
}

/** The value with what stands in files, as it was. */
async function wholeValue(files: OutputFiles, value: JsonValue): Promise<JsonValue> {
  const ref = outputRefOf(value);
  if (ref) {
    const bytes = await bytesOf(files, ref);
    if (ref.kind === "bytes") return { $base64: bytes.toString("base64") };
    const text = bytes.toString();
    return ref.kind === "text" ? text : wholeValue(files, JSON.parse(text) as JsonValue);
  }
  if (Array.isArray(value)) return Promise.all(value.map((item) => wholeValue(files, item)));
  if (typeof value !== "object" || value === null || "$struct" in value) return value;
  const members = Object.entries(value).map(async ([name, member]) => {
    return [name, await wholeValue(files, member)] as const;
  });
  return Object.fromEntries(await Promise.all(members));
}

it("writes the JSON of JSON.stringify, in pieces", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("𝄞".repeat(40_000), `"\\${LINES}`),
  );
  const leaf = fc.oneof(fc.constant(null), fc.boolean(), fc.double(), text);
  const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf as fc.Arbitrary<JsonValue>,
      fc.array(tie("value"), { maxLength: 6 }),
      fc.dictionary(text, tie("value"), { maxKeys: 4 }),
      fc.integer({ min: 0, max: 3_000 }).map((count) => Array<JsonValue>(count).fill(count)),
    ),
  }));
  fc.assert(
    fc.property(value, (one) => {
      const pieces = [...jsonPieces(one)];
      expect(pieces.join("") === JSON.stringify(one)).toBe(true);
      expect(pieces.every((piece) => piece.length < 500_000)).toBe(true);
    }),
    { numRuns: 40 },
  );
});

it("keeps small values in memory as they are", async () => {
  const { files } = await openOutputs();
  const keeper = new ValueKeeper(files, () => 0);
  const value = [0, LINES, "warning"];
  const kept = await keeper.keep("job", value);
  expect(kept.value).toBe(value);
  expect(kept.outputs).toEqual([]);
  expect(kept.jsonBytes).toBe(JSON.stringify(value).length);
  expect(files.bytes).toBe(0);
});

it("writes the large texts of a value, and leaves the rest in place", async () => {
  const { files } = await openOutputs();
  const keeper = new ValueKeeper(files, () => 0);
  const output = LINES.repeat(3);
  const base64 = Buffer.alloc(20_000, 0xff).toString("base64");
  const value = [1, output, { said: LINES, raw: { $base64: base64 } }];
  const kept = await keeper.keep("job", value);
  const [status, text, rest] = kept.value as [number, JsonValue, { [name: string]: JsonValue }];
  expect(status).toBe(1);
  expect(outputRefOf(text)).toMatchObject({
    kind: "text",
    bytes: output.length,
    head: output.slice(0, 4_000),
  });
  expect(outputRefOf(rest.raw)).toMatchObject({ kind: "bytes", bytes: 20_000, head: "" });
  expect(await wholeValue(files, kept.value)).toEqual(value);
  expect(kept.outputs).toHaveLength(3);
  expect(kept.jsonBytes).toBeLessThan(65_536);
});

it("writes a value whole where it has no few large texts", async () => {
  const { files } = await openOutputs();
  const keeper = new ValueKeeper(files, () => 0);
  const names = Array.from({ length: 20_000 }, (_, index) => `file number ${index}`);
  const kept = await keeper.keep("job", { names });
  const ref = outputRefOf(kept.value);
  const json = JSON.stringify({ names });
  expect(ref).toMatchObject({ kind: "json", bytes: json.length, head: json.slice(0, 4_000) });
  expect((await bytesOf(files, ref)).toString()).toBe(json);
  expect(await wholeValue(files, kept.value)).toEqual({ names });
});

it("has no other digest for a value that is kept in another way", async () => {
  const { files } = await openOutputs();
  const spooled = await spool(files, "z".repeat(70_000));
  const ref = { $output: { ...spooled, kind: "text", head: "z".repeat(4_000) } };
  const values = [[0, LINES, ""], "x".repeat(5_000), [LINES.split("\n")], [0, ref, "y"]];
  for (const value of values) {
    const digests = [];
    for (const used of [0, 65 * MIB, 129 * MIB]) {
      const kept = await new ValueKeeper(files, () => used).keep("job", value);
      digests.push(kept.digest);
      expect(kept.jsonBytes).toBeLessThan([65_536, 4_097, 800][digests.length - 1] ?? 0);
    }
    expect(new Set(digests).size).toBe(1);
    const whole = createHash("sha256").update(JSON.stringify(value)).digest("base64url");
    expect(digests[0]).toBe(whole.slice(0, 22));
  }
});

it("holds the outputs of a value, also those in an output", async () => {
  const { files } = await openOutputs();
  const { sha256, bytes } = await spool(files, "inner".repeat(20_000));
  const ref = { $output: { sha256, bytes, kind: "text", head: "inner" } };
  const lines = Array.from({ length: 20_000 }, (_, index) => index);
  const kept = await new ValueKeeper(files, () => 0).keep("job", { lines, ref });
  expect(kept.outputs.map(({ kind }) => kind)).toEqual(["json", "text"]);
  for (const output of kept.outputs) await files.read(output.sha256, 0, 1);
  files.release("job");
  for (const output of kept.outputs) {
    await expect(files.read(output.sha256, 0, 1)).rejects.toMatchObject({ reason: "not-found" });
  }
  expect(files.bytes).toBe(0);
});

it("takes nothing for an output that a minion only writes like one", async () => {
  const { files } = await openOutputs();
  const { sha256, bytes } = await spool(files, "x".repeat(70_000));
  const forged = { sha256, bytes, kind: "text", head: "x" };
  const keeper = new ValueKeeper(files, () => 0);
  for (const value of [toJson({ $output: forged }), { $output: forged, other: 1 }]) {
    const kept = await keeper.keep("job", value);
    expect(kept).toMatchObject({ value, outputs: [] });
    expect(outputRefOf(kept.value)).toBeUndefined();
  }
});

it("fails where an output is gone or cannot be written", async () => {
  const { files } = await openOutputs({ maxBytes: 1_000 });
  const keeper = new ValueKeeper(files, () => 0);
  const ref = { sha256: "0".repeat(64), bytes: 70_000, kind: "text", head: "" };
  for (const value of [{ $output: ref }, LINES.repeat(4), [LINES.repeat(4).split("\n")]]) {
    await expect(keeper.keep("job", value)).rejects.toMatchObject({
      reason: "unavailable",
      message: expect.stringMatching(
        /^The call has run, but its output could not be kept/,
      ) as string,
    });
  }
  expect(files.bytes).toBe(0);
});

it("says how much of an error's text it has left out", async () => {
  const { files } = await openOutputs();
  const error = { type: "E", message: "short", trace: "x".repeat(50_000) };
  const { message, trace } = new ValueKeeper(files, () => 0).keepError(error);
  expect(message).toBe("short");
  expect(trace).toMatch(/^x{16384}\.\.\. \(50000 characters in all\)$/);
});
