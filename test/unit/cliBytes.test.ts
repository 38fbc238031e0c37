import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesText, isNoText, Utf8Escaper } from "../../server/cli/bytesText";
import type { Piece } from "../../server/cli/pieces";
import { renderResult } from "../../server/cli/render";

/** As the escapes say, byte for byte. */
function unescaped(text: string): Buffer {
  const parts = text.split(/\\x([0-9a-f]{2})/);
  return Buffer.concat(
    parts.map((part, at) => (at % 2 === 1 ? Buffer.from(part, "hex") : Buffer.from(part))),
  );
}

const bytes = fc.oneof(
  fc.uint8Array(),
  // near misses: cut, overlong, surrogates, beyond the last code point
  fc
    .array(
      fc.constantFrom(
        "e2",
        "82",
        "ac",
        "f0",
        "9f",
        "8c",
        "8d",
        "c0",
        "80",
        "ed",
        "a0",
        "f4",
        "90",
        "41",
        "ff",
      ),
    )
    .map((hex) => Uint8Array.from(hex.map((byte) => parseInt(byte, 16)))),
);

describe("bytes that are no UTF-8, as text", () => {
  it("are codes among the text", () => {
    expect(bytesText(Buffer.from("M\xfcller\nGr\xf6\xdfe", "latin1"))).toBe(
      "M\\xfcller\nGr\\xf6\\xdfe",
    );
    expect(
      bytesText(Buffer.from([0xe2, 0x82, 0x41, 0xe2, 0x82, 0xac, 0x42, 0x43, 0x44, 0xe2])),
    ).toBe("\\xe2\\x82A€BCD\\xe2");
    expect(bytesText(Buffer.from("世界 ÿ"))).toBe("世界 ÿ");
  });

  it("lose nothing and change nothing, however they are cut", () => {
    fc.assert(
      fc.property(bytes, fc.array(fc.nat({ max: 20 })), (given, cuts) => {
        const whole = Buffer.from(given);
        const escaper = new Utf8Escaper();
        let text = "";
        let at = 0;
        for (const cut of cuts) {
          text += escaper.take(whole.subarray(at, at + cut));
          at += cut;
        }
        text += escaper.take(whole.subarray(at)) + escaper.end();
        if (!whole.includes(0x5c)) expect(unescaped(text)).toEqual(whole);
        const valid = Buffer.from(whole.toString("utf8")).equals(whole);
        if (valid) expect(text).toBe(whole.toString("utf8"));
        else expect(text).toMatch(/\\x[89a-f][0-9a-f]/);
      }),
      { numRuns: 2_000 },
    );
  });

  it("are not shown where most of it is no text", () => {
    const random = Buffer.from(Array.from({ length: 1234 }, (_, index) => (index * 97) % 256));
    expect(isNoText(random)).toBe(true);
    expect(bytesText(random)).toBe("(1,234 bytes, no text: use --raw)");
    expect(bytesText(Buffer.from([0xff]))).toBe("(1 byte, no text: use --raw)");
    const elf = Buffer.concat([Buffer.from("\x7fELF\xff", "latin1"), Buffer.alloc(500)]);
    expect(isNoText(elf)).toBe(true);
    // what comes behind its beginning does not count, and a cut character is none
    const late = Buffer.concat([Buffer.from("世".repeat(30_000)), random]);
    expect(isNoText(late)).toBe(false);
    expect(isNoText(Buffer.from("\x1b[31m\0\0\0\0"))).toBe(false);
  });

  it("stand where other values stand", () => {
    const value = { name: { $base64: Buffer.from("M\xfcller", "latin1").toString("base64") } };
    const pieces: Piece[] = [...renderResult("a", value)];
    expect(pieces).toEqual(["a: name: M\\xfcller\n"]);
  });
});
