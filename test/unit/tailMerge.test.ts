import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TAIL_LINES, TailMerge } from "../../server/jobs/follow/tailMerge";

function tailOf(text: string): string {
  const lines = text.split("\n");
  const ended = lines.at(-1) === "" ? 1 : 0;
  return lines.slice(-TAIL_LINES - ended).join("\n");
}

describe("the last lines of a log", () => {
  it("make the whole text where no look comes too late, whenever they come", () => {
    const looks = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 200 });
    fc.assert(
      fc.property(looks, (steps) => {
        const merge = new TailMerge();
        const whole = Array.from({ length: 3_000 }, (_, i) => `line ${i}\n`).join("");
        let [at, text] = [0, ""];
        for (const step of steps) {
          at = Math.min(whole.length, at + step);
          const { fresh, exact } = merge.add(tailOf(whole.slice(0, at)));
          expect(exact).toBe(true);
          text += fresh;
        }
        expect(text).toBe(whole.slice(0, at));
        expect(merge.bytes).toBe(text.length);
      }),
    );
  });

  it("go on from what was known before, while all of them are told", () => {
    expect(new TailMerge(4).add("one\ntwo\n")).toEqual({ fresh: "two\n", exact: true });
    expect(new TailMerge().add("")).toEqual({ fresh: "", exact: true });
  });

  it("say so where lines were missed, or are alike", () => {
    const lines = (from: number, count: number): string =>
      Array.from({ length: count }, (_, i) => `${from + i}\n`).join("");
    const merge = new TailMerge();
    merge.add(lines(0, TAIL_LINES));
    expect(merge.add(lines(1_000, TAIL_LINES))).toEqual({
      fresh: lines(1_000, TAIL_LINES),
      exact: false,
    });
    const alike = new TailMerge();
    alike.add("same\n".repeat(TAIL_LINES));
    expect(alike.add("same\n".repeat(TAIL_LINES))).toEqual({ fresh: "", exact: false });
    expect(new TailMerge(10).add(lines(5, TAIL_LINES)).exact).toBe(false);
  });
});
