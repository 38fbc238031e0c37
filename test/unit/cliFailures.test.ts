import { describe, expect, it } from "vitest";
import { failureText } from "../../server/cli/failureText";
import type { MinionResult } from "../../server/protocol/jobs";

const all = { tellsWay: false, namesFew: false };

function cancelled(minion: string, more: Partial<MinionResult> = {}): MinionResult {
  const message = `Cancelled; ${minion} has stopped the job.`;
  return { minion, state: "cancelled", error: { type: "cancelled", message, trace: "" }, ...more };
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `web${String(at + 100)}`);
}

describe("problems of many minions", () => {
  it("are told for each of a few", () => {
    expect(failureText([], all)).toBe("");
    expect(
      failureText(
        names(3).map((name) => cancelled(name)),
        all,
      ),
    ).toBe(
      "web100: cancelled: web100 has stopped the job.\n" +
        "web101: cancelled: web101 has stopped the job.\n" +
        "web102: cancelled: web102 has stopped the job.\n",
    );
  });

  it("are told once where they differ only in the name", () => {
    const error = { type: "x", message: "web1: out of space", trace: "", nextStep: "Make room." };
    const other: MinionResult = { minion: "web1", state: "failed", error };
    const many = names(497).map((name) => cancelled(name));
    expect(failureText([other, ...many], { ...all, namesFew: true })).toBe(
      "web1: failed (x): web1: out of space\n    Make room.\n" +
        `497 cancelled: ${names(10).join(", ")} and 487 more\n` +
        "    such as: Cancelled; web100 has stopped the job.\n",
    );
    expect(failureText(many, all)).toContain(`497 cancelled: ${names(497).join(", ")}\n`);
  });

  it("tell what to do, and what nobody's name is in", () => {
    const failed = names(4).map((minion): MinionResult => {
      const error = { type: "x", message: `${minion}: out of space`, trace: "", nextStep: "Go." };
      return { minion, state: "failed", error };
    });
    expect(failureText(failed, all)).toBe(
      "4 failed (x): web100, web101, web102, web103\n    out of space\n    Go.\n",
    );
  });

  it("are told by the way, where that is told", () => {
    const results = names(8).map((name, at) =>
      cancelled(name, { via: [at < 4 ? "mid1" : "mid2"] }),
    );
    const text = failureText(results, { ...all, tellsWay: true });
    expect(text).toContain("4 cancelled (via mid1): web100, ");
    expect(text).toContain("4 cancelled (via mid2): web104, ");
    expect(failureText(results, all)).toContain("8 cancelled: web100, ");
  });

  it("are told of those that are not at their end, too", () => {
    const queued = names(5).map((minion): MinionResult => ({ minion, state: "queued" }));
    const running = { minion: "a", state: "running" as const, progress: { done: 1, total: 3 } };
    expect(failureText([...queued, running], { ...all, namesFew: true })).toBe(
      "5 queued: web100, web101, web102, web103, web104\na: running, 1 of 3\n",
    );
  });
});
