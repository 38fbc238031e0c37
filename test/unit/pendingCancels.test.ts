import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { MinionCaller } from "../../server/calls/minionCaller";
import { SeenMinions } from "../../server/calls/seenMinions";
import { silentLog } from "../../server/common/log";
import { PendingCancels, type Cancel } from "../../server/jobs/engine/pendingCancels";

let cancels: PendingCancels;
let seen: SeenMinions;
let told: string[];
let asked: number;
let away: Set<string>;

// minions that are away for an hour are not to be had as processes
beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  asked = 0;
  away = new Set();
  seen = new SeenMinions();
  const caller: Pick<MinionCaller, "tellCancel"> = {
    tellCancel: ({ name }) => {
      asked++;
      return Promise.resolve(away.has(name) ? "away" : "stops");
    },
  };
  cancels = new PendingCancels(caller as MinionCaller, seen, silentLog, ({ id }) => {
    told.push(id);
  });
});
afterEach(() => {
  cancels.close();
  vi.useRealTimers();
});

function cancelOn(name: string, id: string): Cancel {
  const minion = { name, address: name, port: 51_234 } as unknown as Cancel["minion"];
  return { jobId: "job", minion, attempt: 1, id, sinceMs: Date.now() };
}

it("tells a minion soon, however long another one has been away", async () => {
  away.add("web1").add("web2");
  cancels.add(cancelOn("web1", "old"));
  await vi.advanceTimersByTimeAsync(60 * 60_000);
  cancels.add(cancelOn("web2", "new"));
  await vi.advanceTimersByTimeAsync(2_000);
  away.delete("web2");
  await vi.advanceTimersByTimeAsync(5_000);
  expect(told).toEqual(["new"]);
});

it("asks a minion that stays away less and less often, and tells it at its sign of life", async () => {
  away.add("web1");
  for (let job = 0; job < 100; job++) cancels.add(cancelOn("web1", `job-${job}`));
  await vi.advanceTimersByTimeAsync(60 * 60_000);
  expect(asked).toBeLessThan(25);
  away.clear();
  seen.answered(cancelOn("web1", "").minion);
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toHaveLength(100);
  const before = asked;
  await vi.advanceTimersByTimeAsync(60 * 60_000);
  expect(asked).toBe(before);
});

it("tells a minion also while further cancels come all the time", async () => {
  for (let second = 0; second < 10; second++) {
    cancels.add(cancelOn("web1", `job-${second}`));
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(told).toContain("job-0");
});
