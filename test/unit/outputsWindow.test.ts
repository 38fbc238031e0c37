import fc from "fast-check";
import { expect, it } from "vitest";
import { bufferSource, joinedSource, textSource } from "../../extension/results/byteSource";
import { windowOf } from "../../extension/results/outputWindow";

async function windows(bytes: Buffer, length: number): Promise<string[]> {
  const texts: string[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const window = await windowOf(bufferSource(bytes), offset, length);
    expect(window.offset).toBe(offset);
    expect(window.nextOffset).toBeGreaterThan(offset);
    texts.push(window.text);
    offset = window.nextOffset;
  }
  return texts;
}

it("windows one after another give the whole text, whatever its characters", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: "binary", minLength: 1 }),
      fc.integer({ min: 1, max: 20 }),
      async (text, length) => {
        expect((await windows(Buffer.from(text, "utf8"), length)).join("")).toBe(
          Buffer.from(text, "utf8").toString("utf8"),
        );
      },
    ),
  );
});

it("gets through bytes that are no text", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1 }), fc.integer({ min: 1, max: 9 }), windows),
  );
  async function windows(bytes: Uint8Array, length: number): Promise<void> {
    const source = bufferSource(Buffer.from(bytes));
    for (let offset = 0; offset < bytes.length;) {
      const { nextOffset } = await windowOf(source, offset, length);
      expect(nextOffset).toBeGreaterThan(offset);
      offset = nextOffset;
    }
  }
});

it("begins where a character begins, wherever it is asked for", async () => {
  const source = textSource("a🌍b");
  expect(await windowOf(source, 3, 100)).toEqual({
    text: "🌍b",
    offset: 1,
    nextOffset: 6,
    totalBytes: 6,
  });
  expect((await windowOf(source, 99, 5)).text).toBe("");
});

it("reads over the borders of joined sources", async () => {
  const source = joinedSource(["one", "", "two", "three"].map(textSource));
  expect(source.bytes).toBe(11);
  for (let from = 0; from <= 11; from++) {
    for (let length = 0; length <= 12; length++) {
      expect((await source.read(from, length)).toString()).toBe(
        "onetwothree".slice(from, from + length),
      );
    }
  }
});
