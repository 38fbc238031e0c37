import { expect, it } from "vitest";
import { outcomeOfValue } from "../../server/calls/minionCaller";
import { resultOf } from "../../server/jobs/engine/outcome";
import { LOST, MethodError, toRemoteError } from "../../server/minion/methodError";
import type { MinionRecord } from "../../server/protocol/minions";

const minion = { name: "web1", address: "web1", port: 51_234 } as MinionRecord;

it("is lost, and may have run, where the minion does not know the end of its job", () => {
  const value = toRemoteError(new MethodError(LOST, "lost: something killed its runner"));
  const ending = resultOf(outcomeOfValue(value), minion);
  expect(ending).toMatchObject({ state: "lost", mayHaveRun: true });
  expect(ending.error?.message).toContain("something killed its runner");
  expect(ending.error?.nextStep).toContain("look on web1");
});

it("has failed where the method says so", () => {
  const value = toRemoteError(new TypeError("no"));
  const ending = resultOf(outcomeOfValue(value), minion);
  expect(ending).toMatchObject({ state: "failed", error: { type: "exceptions.TypeError" } });
  expect(ending.mayHaveRun).toBeUndefined();
});
