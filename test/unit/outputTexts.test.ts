import fc from "fast-check";
import { expect, it } from "vitest";
import { outputTexts } from "../../server/jobs/follow/outputTexts";

it("cuts text at characters' borders only, and loses no byte", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 50 }), fc.nat(500), (unit, times) => {
      const text = unit.repeat(times);
      const pieces = [...outputTexts(Buffer.from(text))];
      expect(pieces.map((piece) => piece.text).join("")).toBe(Buffer.from(text).toString());
      for (const piece of pieces) expect(Buffer.byteLength(piece.text)).toBe(piece.bytes);
    }),
    { numRuns: 200 },
  );
});

it("accounts for every byte of what is no text, in pieces that are small in a message", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(2_000), (unit, times) => {
      const bytes = Buffer.concat(Array.from({ length: times }, () => unit));
      let sum = 0;
      for (const piece of outputTexts(bytes)) {
        sum += piece.bytes;
        expect(piece.bytes).toBeGreaterThan(0);
        expect(Buffer.byteLength(JSON.stringify(piece.text))).toBeLessThan(50_000);
      }
      expect(sum).toBe(bytes.length);
    }),
    { numRuns: 200 },
  );
});
