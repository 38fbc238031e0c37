import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FuncError } from "../../server/common/errors";
import { decodeResponse } from "../../server/wire/decode";
import { encodeFault, encodeResponse } from "../../server/wire/encode";
import { xmlRpcValue } from "../fixtures/arbitraryValue";
import { documentEdits, editText } from "../fixtures/documentEdits";
import { referenceResponse } from "../fixtures/saxesReference";

function ours(bytes: Uint8Array): { accepted: unknown } | "refused" {
  try {
    const answer = decodeResponse(bytes);
    if ("value" in answer) return { accepted: answer.value };
    return { accepted: { fault: answer.fault } };
  } catch (error) {
    if (error instanceof FuncError && error.reason === "bad-data") return "refused";
    throw error;
  }
}

function theirs(bytes: Uint8Array): { accepted: unknown } | "refused" {
  let answer: ReturnType<typeof referenceResponse>;
  try {
    answer = referenceResponse(bytes);
  } catch {
    return "refused";
  }
  if (typeof answer !== "object" || answer === null || !("fault" in answer)) {
    return { accepted: answer };
  }
  if (Object.getPrototypeOf(answer) === null) return { accepted: answer }; // a struct with such a member
  const { faultCode, faultString } = answer.fault as { faultCode: number; faultString: string };
  return { accepted: { fault: { code: faultCode, message: text(faultString) } } };
}

function text(value: string | Uint8Array): string {
  return typeof value === "string" ? value : Buffer.from(value).toString("utf8");
}

/** Not vitest's comparison: a member called "constructor" confuses it. */
function agree(bytes: Uint8Array): boolean {
  return isDeepStrictEqual(ours(bytes), theirs(bytes));
}

const RUNS = Number(process.env["FUZZ_RUNS"] ?? 2_000);

describe("the decoder and one made with saxes", () => {
  it("agree on documents as they are encoded", () => {
    fc.assert(
      fc.property(xmlRpcValue, (value) => {
        const bytes = encodeResponse(value);
        expect(theirs(bytes)).not.toBe("refused");
        expect(agree(bytes)).toBe(true);
      }),
    );
  });

  it("agree on what to refuse and what the rest means, of documents with damage", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          xmlRpcValue.map((value) => encodeResponse(value)),
          fc.tuple(fc.integer(), fc.string()).map(([code, message]) => encodeFault(code, message)),
        ),
        documentEdits,
        (document, changes) => {
          const bytes = Buffer.from(editText(document.toString("utf8"), changes));
          expect(agree(bytes)).toBe(true);
        },
      ),
      { numRuns: RUNS },
    );
  });

  it("agree on bytes that are not UTF-8", () => {
    fc.assert(
      fc.property(
        xmlRpcValue.map((value) => encodeResponse(value)),
        fc.uint8Array({ minLength: 1, maxLength: 3 }),
        fc.nat(),
        (document, junk, at) => {
          const bytes = Buffer.from(document);
          junk.forEach((byte, index) => (bytes[(at + index) % bytes.length] = byte));
          expect(agree(bytes)).toBe(true);
        },
      ),
      { numRuns: RUNS },
    );
  });
});
