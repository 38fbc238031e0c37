import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FuncError } from "../../server/common/errors";
import { decodeCall, decodeResponse } from "../../server/wire/decode";
import { encodeCall, encodeFault, encodeResponse } from "../../server/wire/encode";
import { IncomingCheck } from "../../server/wire/incomingCheck";
import { xmlRpcValue } from "../fixtures/arbitraryValue";
import { documentEdits, editText } from "../fixtures/documentEdits";

const LIMITS = { maxDepth: 128, maxElements: 1_000_000 };

/** Index of the byte at which the document is refused, or "accepted". */
function refusedAt(document: Buffer, size = 1, limits = LIMITS): number | "accepted" {
  const check = new IncomingCheck("methodCall", limits);
  for (let at = 0; at < document.length; at += size) {
    try {
      check.accept(document.subarray(at, at + size));
    } catch (error) {
      if (!(error instanceof FuncError)) throw error;
      return at;
    }
  }
  return "accepted";
}

function accepts(document: Buffer, root: "methodCall" | "methodResponse", size: number): boolean {
  const check = new IncomingCheck(root, LIMITS);
  try {
    for (let at = 0; at < document.length; at += size) {
      check.accept(document.subarray(at, at + size));
    }
    return true;
  } catch (error) {
    if (error instanceof FuncError) return false;
    throw error;
  }
}

function decodes(document: Buffer, root: "methodCall" | "methodResponse"): boolean {
  try {
    if (root === "methodCall") decodeCall(document);
    else decodeResponse(document);
    return true;
  } catch {
    return false;
  }
}

const CALL = "<?xml version='1.0'?><methodCall><methodName>a.b</methodName><params>";
const VALUE = `${CALL}<param><value>`;

describe("a document that comes in", () => {
  it.each<[string, string, string]>([
    ["a document type", "<?xml version='1.0'?>\n<!D", "OCTYPE x>"],
    ["an instruction", `${CALL}<?`, "php"],
    ["a declaration", `${VALUE}<!E`, "NTITY x>"],
    ["nesting", `${VALUE}${"<array><data><value>".repeat(127)}<array>`, "<data>"],
    ["an entity", `${VALUE}text &file;`, "</value>"],
    ["a forbidden reference", `${VALUE}text &#0;`, "</value>"],
    ["a surrogate's reference", `${VALUE}text &#xD800;`, "</value>"],
    ["a control character", `${VALUE}text\u0000`, "more"],
    ["a tag that does not match", `${VALUE}<string>x</value>`, "</param>"],
    ["an unknown type", `${VALUE}<object>`, "x"],
    ["two types in a value", `${VALUE}<int>1</int><int>`, "1"],
    ["two values in a param", `${VALUE}</value><value>`, "1"],
    ["a member without a name", `${VALUE}<struct><member><value>`, "1"],
    ["attributes", `${VALUE}<int a='b'>`, "1"],
    ["another root", "<methodResponse>", "<params>"],
    ["text between elements", `${CALL}x`, "y"],
    ["a long number", `${VALUE}<int>${"9".repeat(2_001)}`, "9"],
    ["another encoding", '<?xml version="1.0" encoding="utf-7"?>', "<methodCall>"],
    ["a second document", "<methodCall></methodCall><methodCall>", "x"],
    ["a comment with two hyphens", `${CALL}<!-- a --x`, "-->"],
    ["CDATA around the root", "<![CDATA[", "x]]>"],
  ])("is refused at once for %s", (_what, before, after) => {
    const document = Buffer.from(before + after);
    expect(refusedAt(document)).toBe(Buffer.byteLength(before) - 1);
  });

  it.each<[string, Buffer, number]>([
    ["UTF-16 with a mark", Buffer.from("\ufeff<methodCall>", "utf16le"), 0],
    ["UTF-16 without one", Buffer.from("<methodCall>", "utf16le"), 1],
    ["EBCDIC", Buffer.from([0x4c, 0x6f, 0xa7, 0x94]), 0],
    ["UTF-32", Buffer.from([0x00, 0x00, 0xfe, 0xff]), 0],
    ["a byte that is no UTF-8", Buffer.from(`${VALUE}\xff`, "latin1"), VALUE.length],
    ["an overlong form", Buffer.from(`${VALUE}\xc0\xaf`, "latin1"), VALUE.length],
    ["a surrogate in UTF-8", Buffer.from(`${VALUE}\xed\xa0\x80`, "latin1"), VALUE.length + 2],
    ["U+FFFF", Buffer.from(`${VALUE}\uffff`), VALUE.length + 2],
  ])("is refused at once for %s", (_what, document, at) => {
    expect(refusedAt(document)).toBe(at);
  });

  it("has no more values than the limit", () => {
    const document = Buffer.from(`${VALUE}<array><data>${"<value/>".repeat(1_000)}`);
    const limits = { maxDepth: 128, maxElements: 500 };
    expect(refusedAt(document, 1, limits)).toBe(`${VALUE}<array><data>`.length + 500 * 8 - 1);
    expect(refusedAt(document, 1, { ...limits, maxElements: 1_001 })).toBe("accepted");
  });

  it("is not kept where a tag or reference does not end", () => {
    for (const start of [`${VALUE}<${"a".repeat(10_000)}`, `${VALUE}&#${"0".repeat(10_000)}`]) {
      expect(refusedAt(Buffer.from(start))).toBeLessThan(VALUE.length + 4_200);
      expect(refusedAt(Buffer.from(start), start.length)).toBe(0);
    }
  });

  it("is accepted whatever values it has and however it is cut", () => {
    fc.assert(
      fc.property(
        fc.array(xmlRpcValue, { maxLength: 3 }),
        fc.integer({ min: 1, max: 200 }),
        (values, size) => {
          expect(accepts(encodeCall("a.b", values), "methodCall", size)).toBe(true);
        },
      ),
    );
  });

  it("is never refused where the decoder reads it", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          xmlRpcValue.map((value) => encodeResponse(value)),
          fc.tuple(fc.integer(), fc.string()).map(([code, message]) => encodeFault(code, message)),
        ),
        documentEdits,
        fc.integer({ min: 1, max: 100 }),
        (document, edits, size) => {
          const bytes = Buffer.from(editText(document.toString("utf8"), edits));
          if (decodes(bytes, "methodResponse")) {
            expect(accepts(bytes, "methodResponse", size)).toBe(true);
          }
        },
      ),
      { numRuns: Number(process.env["FUZZ_RUNS"] ?? 3_000) },
    );
  });

  it("is judged alike however it is cut", () => {
    fc.assert(
      fc.property(
        xmlRpcValue.map((value) => encodeCall("a.b", [value])),
        documentEdits,
        fc.integer({ min: 2, max: 100 }),
        (document, edits, size) => {
          const bytes = Buffer.from(editText(document.toString("utf8"), edits));
          const byByte = refusedAt(bytes, 1);
          const byPiece = refusedAt(bytes, size);
          if (byByte === "accepted") expect(byPiece).toBe("accepted");
          else expect(byPiece).toBe(Math.floor(byByte / size) * size);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
