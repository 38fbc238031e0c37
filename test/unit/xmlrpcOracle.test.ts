import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FuncError } from "../../server/common/errors";
import { decodeResponse } from "../../server/wire/decode";
import { encodeFault, encodeResponse } from "../../server/wire/encode";
import { xmlRpcValue } from "../fixtures/arbitraryValue";
import { referenceResponse } from "../fixtures/saxesReference";

/** What makes parsers disagree: put anywhere into a document. */
const SNIPPETS = [
  "<", ">", "/", "&", ";", "]]>", "]]", "--", "<!--", "-->", "<!-- x -->", "<!---->", "<!-- a--b -->",
  "<![CDATA[", "<![CDATA[ ]]>", "<![CDATA[<int>]]>", "<!DOCTYPE a>", '<!DOCTYPE a [<!ENTITY x "y">]>', "&x;",
  "&amp;", "&lt;", "&#65;", "&#x41;", "&#x0;", "&#xD800;", "&#x110000;", "&#13;", "&#32;", "&#;", "&#x;", "&", "&#X41;",
  "<?pi?>", "<?xml version='1.0'?>", '<?xml version="1.0" encoding="UTF-8"?>', "<?xml version='1.1'?>",
  "<nil/>", "<int>1</int>", "<i4> 7 </i4>", "<i8>9007199254740993</i8>", "<boolean>1</boolean>", "<string/>",
  "<value/>", "<value>", "</value>", "<value></value>", "<value>x</value>", "<double>1.5e3</double>", "<double>nan</double>",
  "<struct/>", "<array/>", "<array><data/></array>", "<ex:nil/>", "<float>1</float>", " a='b'", " xmlns:ex='u'", " ", "\n", "\t", "\r\n", "\r",
  "\u0000", "\u0001", "\u000b", "\u0085", "\u2028", "\u00a0", "\ufeff", "\ufffe", "\uffff", "é", "😀", "0", "-", "+", ".", "e5", "=", "==", "A",
] as const; // prettier-ignore

interface Edit {
  at: number;
  remove: number;
  insert: string;
}

const edits = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    remove: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat({ max: 12 })),
    insert: fc.oneof(fc.constant(""), fc.constantFrom(...SNIPPETS)),
  }),
  { minLength: 1, maxLength: 3 },
);

function mutate(text: string, changes: readonly Edit[]): string {
  return changes.reduce((current, { at, remove, insert }) => {
    const from = Math.floor(at * current.length);
    return current.slice(0, from) + insert + current.slice(from + remove);
  }, text);
}

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
        edits,
        (document, changes) => {
          const bytes = Buffer.from(mutate(document.toString("utf8"), changes));
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
