import { expect, it } from "vitest";
import { awayLimitMs, questionLimits, startLimitMs } from "../../server/delegation/hopLimits";
import type { JobRun } from "../../server/jobs/engine/jobRun";

function runOf(timeoutMs: number, async = false): JobRun {
  const record = { async, timeoutMs } as JobRun["record"];
  return { record, timeoutMs, runLimitMs: async ? timeoutMs : undefined } as JobRun;
}

it("has a hop that hangs noticed soon after the limit of a call that somebody waits for", () => {
  for (const timeoutMs of [1_000, 5_000, 20_000, 60_000, 600_000]) {
    const run = runOf(timeoutMs);
    const { waitSeconds, graceMs } = questionLimits(run);
    expect(waitSeconds * 1_000).toBeLessThanOrEqual(Math.max(1_000, timeoutMs));
    expect(waitSeconds * 1_000 + graceMs).toBeLessThanOrEqual(timeoutMs + 20_000);
    expect(startLimitMs(run)).toBeLessThanOrEqual(timeoutMs + 10_000);
    // an overlord that has to be started first still comes in time
    expect(Math.min(graceMs + waitSeconds * 1_000, startLimitMs(run))).toBeGreaterThanOrEqual(
      timeoutMs < 5_000 ? 6_000 : 10_000,
    );
    expect(awayLimitMs(run)).toBeGreaterThanOrEqual(10_000);
  }
});

it("leaves async calls the time that they had", () => {
  expect(questionLimits(runOf(1_000, true))).toEqual({ waitSeconds: 25, graceMs: 20_000 });
  expect(startLimitMs(runOf(1_000, true))).toBe(30_000);
});
