import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { OutputRef } from "../../server/protocol/outputs";
import type { JsonValue } from "../../server/protocol/value";
import { decodeResponse } from "../../server/wire/decode";
import { encodeResponse } from "../../server/wire/encode";
import { fromJson, toJson } from "../../server/wire/jsonValue";
import { remoteError } from "../../server/wire/remoteError";
import { digestOfError, digestOfJson, digestOfValue } from "../../server/wire/valueDigest";
import { XmlRpcDateTime, XmlRpcDouble, type XmlRpcValue } from "../../server/wire/value";
import { replaceLarge } from "../../server/jobs/outputs/valueMeasure";
import { xmlRpcValue } from "../fixtures/arbitraryValue";

/** Values as a method may give them, with texts that travel as base64 and numbers that travel as doubles. */
const answered: fc.Arbitrary<XmlRpcValue> = fc.oneof(
  xmlRpcValue,
  fc.array(
    fc.oneof(
      xmlRpcValue,
      fc.string({ unit: "binary" }),
      fc.string({ unit: "grapheme", minLength: 40 }),
      fc.uint8Array({ minLength: 40 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.constantFrom(-0, 2 ** 53, 1e300, 5n, "\ud800", "a\0b", new XmlRpcDouble(-0)),
    ),
    { maxLength: 5 },
  ),
);

function received(value: XmlRpcValue): JsonValue {
  const answer = decodeResponse(encodeResponse(value));
  if (!("value" in answer)) throw new Error("a fault");
  return toJson(answer.value);
}

/** As the overlord does with what is large. */
function asOutput(part: OutputRef | { kind: "text" | "bytes"; text: string }): JsonValue {
  if (!("text" in part)) return { $output: { ...part } };
  const bytes = Buffer.from(part.text, part.kind === "text" ? "utf8" : "base64");
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { $output: { sha256, bytes: bytes.length, kind: part.kind, head: "" } };
}

describe("the digest of a value", () => {
  it("is the same at the host, over the wire, in JSON text, and with parts in files", () => {
    fc.assert(
      fc.property(answered, fc.constantFrom(40, 60, Infinity), (value, largeLength) => {
        const digest = digestOfValue(value);
        const json = received(value);
        expect(digestOfJson(json)).toBe(digest);
        expect(digestOfJson(JSON.parse(JSON.stringify(json)) as JsonValue)).toBe(digest);
        expect(digestOfJson(replaceLarge(json, largeLength, asOutput))).toBe(digest);
      }),
      { numRuns: 500 },
    );
  });

  it("is the same of what a minion has kept as JSON", () => {
    fc.assert(
      fc.property(answered, (value) => {
        const kept = fromJson(JSON.parse(JSON.stringify(toJson(value))) as JsonValue);
        expect(digestOfValue(kept)).toBe(digestOfValue(value));
      }),
    );
  });

  it("differs where values do", () => {
    const values: XmlRpcValue[] = [
      ...[null, true, false, 0, 1, "", "1", "true", [], {}, [null], [[]], [{}], { a: 1 }],
      ...[
        { a: "1" },
        { b: 1 },
        { a: 1, b: 2 },
        { a: { b: 2 } },
        [1, [2, 3]],
        [[1, 2], 3],
        [1, 2, 3],
      ],
      ...[new XmlRpcDouble(1), 1.5, 2n ** 60n, new XmlRpcDateTime("20260131T12:00:00")],
      ...["20260131T12:00:00", ["a", "b"], ["b", "a"], ["ab"], { "a b": 1 }, { 'a" t': 1 }],
      ...[{ $base64: "aGk=" }, "hi", { $int: "1" }, { $struct: {} }],
    ];
    expect(new Set(values.map(digestOfValue)).size).toBe(values.length);
  });

  it("does not depend on the order of members, nor on whether a text travelled as bytes", () => {
    expect(digestOfValue({ b: 1, a: 2 })).toBe(digestOfValue({ a: 2, b: 1 }));
    expect(digestOfValue("a\0b")).toBe(digestOfValue(new Uint8Array(Buffer.from("a\0b"))));
  });

  it("of a long text is that of its bytes, also where a character stands at a border", () => {
    const text = `${"x".repeat(1024 * 1024 - 1)}😀${"y".repeat(10)}`;
    const sha256 = createHash("sha256").update(text).digest("hex");
    const output = { sha256, bytes: Buffer.byteLength(text), kind: "text", head: "" };
    expect(digestOfJson({ $output: output })).toBe(digestOfValue(text));
  });

  it("is not known of a whole value in a file, and of what is no value", () => {
    const output = { sha256: "0".repeat(64), bytes: 1, kind: "json", head: "" };
    let deep: JsonValue = 1;
    for (let depth = 0; depth < 400; depth++) deep = [deep];
    const values: JsonValue[] = [
      ...[{ $output: output }, [{ $output: { ...output, kind: "text", sha256: "0;" } }], deep],
      ...[{ $base64: 1 }, { $int: "x" }, { $double: "1" }, { $dateTime: "x;" }, { $struct: [] }],
      ...[{ $unknown: 1 }, { $output: 1 }],
    ];
    for (const value of values) expect([value, digestOfJson(value)]).toEqual([value, undefined]);
  });

  it("of an exception is told from its texts, cut as they may be", () => {
    const texts = { type: "exceptions.ValueError", message: "no", trace: "" };
    const value = remoteError(texts.type, texts.message, texts.trace);
    expect(digestOfValue(value)).toBe(digestOfError(texts));
    expect(digestOfValue(["REMOTE_ERROR", texts.type, "no"])).toBe(digestOfError(texts));
    expect(digestOfError({ ...texts, message: "yes" })).not.toBe(digestOfError(texts));
    expect(digestOfError({ ...texts, type: "no" })).not.toBe(digestOfError(texts));
    const long = { ...texts, message: "m".repeat(2_000) };
    const cut = { ...texts, message: `${"m".repeat(512)}... (2000 characters in all)` };
    expect(digestOfError(cut)).toBe(digestOfError(long));
  });
});
