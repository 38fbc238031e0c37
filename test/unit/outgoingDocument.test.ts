import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeResponse } from "../../server/wire/decode";
import { callDocument, encodeResponse, responseDocument } from "../../server/wire/encode";
import { escapedBytes, escapedLength, escapeText } from "../../server/wire/escapeText";
import { LargeDocument, wholeDocument } from "../../server/wire/outgoingDocument";
import { carriableText } from "../fixtures/arbitraryValue";

describe("a document with long values", () => {
  it("has the bytes that it says, in pieces of moderate size", () => {
    fc.assert(
      fc.property(carriableText, fc.integer({ min: 70_000, max: 300_000 }), (text, length) => {
        const filled = `${text}😀`.repeat(Math.ceil(length / (text.length + 2)));
        const value = [filled, "small", Buffer.from(filled), `${filled}\0`];
        const document = responseDocument(value);
        if (!(document instanceof LargeDocument)) throw new Error("not large");
        const pieces = [...document.pieces()];
        expect(pieces.reduce((sum, piece) => sum + piece.length, 0)).toBe(document.length);
        expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(400_000);
        const bytes = [Buffer.from(filled), Buffer.from(`${filled}\0`)];
        const [first, second] = bytes.map((one) => new Uint8Array(one));
        const again = decodeResponse(wholeDocument(document));
        // "toEqual" takes seconds for long arrays
        expect(isDeepStrictEqual(again, { value: [filled, "small", first, second] })).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it("is an ordinary buffer where all values are short", () => {
    expect(Buffer.isBuffer(responseDocument(["x".repeat(65_536)]))).toBe(true);
    expect(Buffer.isBuffer(callDocument("a.b", [new Uint8Array(65_536)]))).toBe(true);
    expect(callDocument("a.b", ["x".repeat(65_537)])).toBeInstanceOf(LargeDocument);
    expect(encodeResponse("x".repeat(65_537)).length).toBeGreaterThan(65_537);
  });
});

describe("the bytes of escaped text", () => {
  it("are those of the text that is escaped", () => {
    fc.assert(
      fc.property(carriableText, (text) => {
        expect(escapedBytes(text).toString()).toBe(escapeText(text));
        expect(escapedLength(text)).toBe(Buffer.byteLength(escapeText(text)));
      }),
    );
  });
});
