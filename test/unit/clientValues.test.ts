import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Output } from "../../server/client/library/output";
import { fromJson, textOf, toJson } from "../../server/client/library/values";
import type { OutputReader } from "../../server/client/outputs";
import type { JsonValue } from "../../server/protocol/value";

const nothing: OutputReader = { request: () => Promise.reject(new Error("nothing to read")) };
const REF = { sha256: "0".repeat(64), bytes: 3, kind: "text", head: "abc" } as const;

describe("values of programs", () => {
  it("travel and come back as they were", () => {
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.string(),
        fc.boolean(),
        fc.constant(null),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.bigInt(),
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        fc.array(tie("value")),
        fc.dictionary(
          fc.oneof(fc.string(), fc.constantFrom("$int", "$struct", "$output")),
          tie("value"),
          {
            noNullPrototype: true,
          },
        ),
      ),
    })).value;
    fc.assert(
      fc.property(value, (given) => {
        const wire: unknown = JSON.parse(JSON.stringify(toJson(given, "it")));
        const back = fromJson(wire as ReturnType<typeof toJson>, nothing);
        expect(normal(back)).toEqual(normal(given));
      }),
    );
  });

  it("that no minion takes are refused with their place", () => {
    const problem = (value: unknown): string => {
      try {
        toJson(value, "Argument 1");
      } catch (error) {
        return (error as Error).message;
      }
      return "none";
    };
    expect(problem([1, { x: undefined }])).toBe(
      "Argument 1[1].x is of the type undefined, which no minion takes.",
    );
    expect(problem(Infinity)).toContain("is Infinity");
    expect(problem(new Date(Number.NaN))).toContain("no valid date");
    const endless: unknown[] = [];
    endless.push(endless);
    expect(problem(endless)).toContain("nests too deep");
  });

  it("marks that are none stay values", () => {
    const values: JsonValue[] = [
      { $int: 5 },
      { $base64: 1 },
      { $output: "x" },
      { $other: 1 },
      { $struct: 1 },
    ];
    for (const value of values) {
      expect(fromJson(value, nothing)).toEqual(value);
    }
    expect(fromJson({ $double: 3 }, nothing)).toBe(3);
    expect(fromJson({ $struct: { $int: "5" } }, nothing)).toEqual({ $int: "5" });
  });

  it("outputs are read as text, whichever way text came", async () => {
    const reader: OutputReader = {
      request: () => Promise.resolve({ base64: Buffer.from("abc").toString("base64"), bytes: 3 }),
    };
    const ref = {
      ...REF,
      sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    };
    const output = fromJson({ $output: ref }, reader);
    expect(output).toBeInstanceOf(Output);
    expect(await textOf(output)).toBe("abc");
    expect(JSON.stringify(output)).toBe(`{"$output":{"sha256":"${ref.sha256}","bytes":3}}`);
    expect(await textOf("abc")).toBe("abc");
    expect(await textOf(Buffer.from("äb"))).toBe("äb");
    await expect(textOf([])).rejects.toMatchObject({ reason: "bad-argument" });
  });
});

/** -0 travels as 0. */
function normal(value: unknown): unknown {
  if (value === 0) return 0;
  if (value instanceof Uint8Array || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(normal);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, normal(member)]));
}
