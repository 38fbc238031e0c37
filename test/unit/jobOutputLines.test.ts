import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OutputLines } from "../../server/client/outputLines";
import type { OutputPiece } from "../../server/protocol/jobs";

const piece = (offset: number, text: string, rest: Partial<OutputPiece> = {}): OutputPiece => ({
  minion: "web1",
  stream: "stdout",
  offset,
  text,
  bytes: Buffer.byteLength(text),
  ...rest,
});

const textsOf = (lines: { text: string }[]): string[] => lines.map(({ text }) => text);

describe("lines of a job's output", () => {
  test("a line shows once it has ended, or the minion has", () => {
    const lines = new OutputLines();
    expect(textsOf(lines.take(piece(0, "one\ntw")))).toEqual(["one"]);
    expect(textsOf(lines.take(piece(6, "o\nthr")))).toEqual(["two"]);
    expect(textsOf(lines.end("web1"))).toEqual(["thr"]);
    expect(lines.end("web1")).toEqual([]);
  });

  test("streams and minions do not mix", () => {
    const lines = new OutputLines();
    lines.take(piece(0, "a"));
    lines.take(piece(0, "b", { stream: "stderr" }));
    lines.take(piece(0, "c", { minion: "web2" }));
    expect(lines.take(piece(1, "1\n"))).toEqual([{ minion: "web1", stream: "stdout", text: "a1" }]);
    expect(lines.end("web2")).toEqual([{ minion: "web2", stream: "stdout", text: "c" }]);
    expect(lines.offsets()).toEqual({
      web1: { stdout: 3, stderr: 1 },
      web2: { stdout: 1, stderr: 0 },
    });
  });

  test("a new attempt is read from its beginning", () => {
    const lines = new OutputLines();
    lines.take(piece(0, "one"));
    lines.take(piece(0, "bad", { stream: "stderr" }));
    expect(lines.take(piece(0, "again\n", { attempt: 2 }))).toHaveLength(1);
    expect(lines.take(piece(3, "late", { stream: "stdout", attempt: 1 }))).toEqual([]);
    expect(lines.offsets()).toEqual({ web1: { stdout: 6, stderr: 0, attempt: 2 } });
  });

  test("however it is cut and repeated, each byte counts once", () => {
    const cut = fc.array(fc.nat(60), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(
        fc.string({ maxLength: 60, unit: fc.constantFrom("a", "b", "\n") }),
        cut,
        (text, cuts) => {
          const lines = new OutputLines();
          const found: string[] = [];
          let until = 0;
          for (const at of [...cuts, text.length]) {
            const end = Math.min(at, text.length);
            // from some place that is known already: a reconnect sends it again
            const from = Math.min(Math.floor(at / 2), until);
            if (end <= from) continue;
            found.push(...textsOf(lines.take(piece(from, text.slice(from, end)))));
            until = Math.max(until, end);
          }
          found.push(...textsOf(lines.end("web1")));
          const whole = text.split("\n");
          if (whole.at(-1) === "") whole.pop();
          expect(found).toEqual(whole);
        },
      ),
    );
  });

  test("another attempt begins anew, and the earlier one's late pieces are dropped", () => {
    const lines = new OutputLines();
    lines.take(piece(0, "first\n"));
    expect(textsOf(lines.take(piece(0, "second\n", { attempt: 2 })))).toEqual(["second"]);
    expect(lines.take(piece(6, "late\n"))).toEqual([]);
  });

  test("what a terminal would obey is shown as codes, and a line that was written over by its last state", () => {
    const lines = new OutputLines();
    expect(textsOf(lines.take(piece(0, "\u001b[31mred\n")))).toEqual(["\\x1b[31mred"]);
    expect(textsOf(lines.take(piece(9, "10%\r50%\r100%\r\n")))).toEqual(["100%"]);
  });

  test("a line without an end does not grow for ever", () => {
    const lines = new OutputLines();
    for (let at = 0; at < 100; at++) lines.take(piece(at * 1_000, "x".repeat(1_000)));
    const [line] = lines.end("web1");
    expect(line?.text.length).toBeLessThan(5_000);
  });
});
