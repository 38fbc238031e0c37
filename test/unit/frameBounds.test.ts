import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameBounds } from "../../server/overlord/frameBounds";

function frame(body: string, header = ""): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.from(`${header}Content-Length: ${bytes.length}\r\n\r\n`), bytes]);
}

describe("the frames of a client's stream", () => {
  it("are accepted however they are cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 40 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 50 }),
        (bodies, size) => {
          const stream = Buffer.concat(
            bodies.map((body) => frame(`${body}\r\n\r\n`, "Content-Type: a/b\r\n")),
          );
          const bounds = new FrameBounds(1_000);
          for (let at = 0; at < stream.length; at += size) {
            expect(bounds.accept(stream.subarray(at, at + size))).toBe(true);
          }
          // in step still: the next header is read as one
          expect(bounds.accept(Buffer.from("junk\r\n\r\n"))).toBe(false);
        },
      ),
    );
  });

  it("are refused by their header where they are too large", () => {
    expect(new FrameBounds(10).accept(frame("x".repeat(10)))).toBe(true);
    expect(new FrameBounds(10).accept(Buffer.from("Content-Length: 11\r\n\r\n"))).toBe(false);
    expect(new FrameBounds().accept(Buffer.from("Content-Length: 99999999999\r\n\r\n"))).toBe(
      false,
    );
  });

  it("are refused where a header does not end, in one piece or many", () => {
    expect(new FrameBounds().accept(Buffer.alloc(100_000, "x"))).toBe(false);
    const bounds = new FrameBounds();
    const accepted = Array.from({ length: 100 }, () => bounds.accept(Buffer.alloc(100, "x")));
    expect(accepted.filter(Boolean)).toHaveLength(40);
  });

  it("are refused where two readers could disagree on them", () => {
    for (const header of [
      "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
      "Content-Length: -1\r\n\r\n",
      "Content-Length: 1x\r\n\r\n",
      "Content-Length : 1\r\n\r\n",
      "Content-Length: 1\r\r\n\r\n",
      "Content-Length: 1\nA: b\r\n\r\n",
      "Foo: bar\r\n\r\n",
      "\r\n\r\n",
    ]) {
      expect(new FrameBounds().accept(Buffer.from(header)), JSON.stringify(header)).toBe(false);
    }
  });
});
