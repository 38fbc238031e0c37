import { describe, expect, it } from "vitest";
import { RestartPolicy } from "../../extension/restartPolicy";

const limits = { maxRestarts: 3, windowMs: 1_000, firstDelayMs: 10, maxDelayMs: 25 };

describe("RestartPolicy", () => {
  it("doubles the pause up to its limit, then refuses", () => {
    const policy = new RestartPolicy(limits);
    expect([policy.next(0), policy.next(1), policy.next(2), policy.next(3)]).toEqual([
      10,
      20,
      25,
      undefined,
    ]);
  });

  it("forgets restarts that are older than the window", () => {
    const policy = new RestartPolicy(limits);
    for (const at of [0, 400, 800]) policy.next(at);
    expect(policy.next(999)).toBeUndefined();
    expect(policy.next(1_000)).toBe(25);
    expect(policy.next(5_000)).toBe(10);
  });

  it("does not count a refused restart", () => {
    const policy = new RestartPolicy({ ...limits, maxRestarts: 1 });
    policy.next(0);
    for (let at = 1; at < 1_000; at += 100) expect(policy.next(at)).toBeUndefined();
    expect(policy.next(1_000)).toBe(10);
  });

  it("starts over after a restart by hand", () => {
    const policy = new RestartPolicy(limits);
    for (const at of [0, 1, 2]) policy.next(at);
    policy.reset();
    expect(policy.next(3)).toBe(10);
  });
});
