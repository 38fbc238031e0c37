import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stepsOf } from "../../server/jobs/engine/batches";
import { ErrorLimit, isFailure } from "../../server/jobs/engine/errorLimit";

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `web${i}`);

describe("the steps of a job", () => {
  it("are the canaries first, then as many at a time as it says", () => {
    expect(stepsOf(names(5), { canaries: ["web3"], size: "2" })).toEqual([
      ["web3"],
      ["web0", "web1"],
      ["web2", "web4"],
    ]);
    expect(stepsOf(names(3), {})).toEqual([names(3)]);
    expect(stepsOf(names(3), { canaries: ["web1"] })).toEqual([["web1"], ["web0", "web2"]]);
    expect(stepsOf([], { size: "1" })).toEqual([]);
  });

  it("have at least one minion, and at most all", () => {
    for (const size of ["0", "0%", "1%", "1"]) expect(stepsOf(names(9), { size })).toHaveLength(9);
    for (const size of ["100%", "250%", "900"]) expect(stepsOf(names(9), { size })).toHaveLength(1);
    expect(stepsOf(names(20), { size: "10%" })[0]).toEqual(["web0", "web1"]);
    expect(stepsOf(names(29), { size: "10%" })[0]).toEqual(["web0", "web1"]);
  });

  it("have each minion once, and are no larger than they should be", () => {
    const size = fc.oneof(
      fc.nat(50).map(String),
      fc.nat(150).map((share) => `${share}%`),
      fc.constant(undefined),
    );
    const canaries = fc.array(fc.nat(60).map((i) => `web${i}`));
    fc.assert(
      fc.property(fc.nat(50), size, canaries, (count, most, first) => {
        const steps = stepsOf(names(count), { size: most, canaries: first });
        expect(steps.flat().sort()).toEqual(names(count).sort());
        const known = first.filter((name) => names(count).includes(name));
        if (known.length > 0) expect(new Set(steps[0])).toEqual(new Set(known));
        const rest = known.length > 0 ? steps.slice(1) : steps;
        const sizes = rest.map((step) => step.length);
        expect(sizes.slice(0, -1).every((one) => one === sizes[0])).toBe(true);
      }),
    );
  });
});

describe("the limit of errors", () => {
  it("counts whatever did not succeed, and commands that ended with another status than 0", () => {
    const final = ["failed", "unreachable", "timed-out", "cancelled", "denied", "lost", "expired"];
    for (const state of final) {
      expect(isFailure({ state: state as "failed" })).toBe(true);
    }
    for (const state of ["queued", "sent", "running", "skipped", "succeeded"] as const) {
      expect(isFailure({ state })).toBe(false);
    }
    expect(isFailure({ state: "succeeded", exitStatus: 0 })).toBe(false);
    expect(isFailure({ state: "succeeded", exitStatus: 1 })).toBe(true);
  });

  it("is passed by one more than may fail", () => {
    const limit = new ErrorLimit(2);
    const failed = { state: "failed" as const };
    for (let count = 0; count < 2; count++) limit.ended(failed);
    limit.ended({ state: "succeeded" });
    expect(limit.isPassed).toBe(false);
    limit.ended(failed);
    expect(limit.isPassed).toBe(true);
    expect(limit.skipped({ name: "web1" }).error?.message).toBe(
      "web1 was not called: 3 had failed by then, more than the 2 that may.",
    );
    expect(new ErrorLimit(undefined, 1_000).isPassed).toBe(false);
    expect(new ErrorLimit(0, 1).isPassed).toBe(true);
  });
});
