import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { AboveProgress } from "../../server/delegation/aboveProgress";
import { Job } from "../../server/jobs/job";
import { FINAL_STATES } from "../../server/protocol/jobs";

const NAMES = Array.from({ length: 400 }, (_, index) => `leaf${index}`);
const CALL = { spec: "*", module: "test", method: "ping", argsText: "", async: false };
const LIMITS = { nforks: 10, keepPlaces: true };

function jobOf(id: string, names: readonly string[]) {
  const record = {
    ...CALL,
    ...LIMITS,
    id,
    args: [],
    createdAtMs: 0,
    minions: names.map((name) => ({ name })),
  };
  return { job: new Job(record), record, leaves: new Map<string, string>() };
}

it("tells every result, many at a time while many are open", async () => {
  const progress = new AboveProgress();
  const asked = jobOf("a-1", NAMES);
  const { signal } = new AbortController();
  const ending = (async () => {
    for (const name of NAMES) {
      await sleep(1);
      asked.job.update(name, { state: "succeeded", value: 1 });
    }
  })();
  const ended = new Set<string>();
  let answers = 0;
  for (let cursor = "", finished = false; !finished; answers++) {
    const told = await progress.collect(asked, { cursor, waitMs: 10_000, signal });
    ({ cursor, finished } = told);
    for (const { minion, state } of told.results) if (FINAL_STATES.has(state)) ended.add(minion);
  }
  await ending;
  expect(ended.size).toBe(NAMES.length);
  expect(answers).toBeLessThan(NAMES.length / 10);
});

it("lets nobody wait for the first result, nor for the last", async () => {
  const progress = new AboveProgress();
  const asked = jobOf("a-2", NAMES);
  const { signal } = new AbortController();
  const first = progress.collect(asked, { cursor: "", waitMs: 60_000, signal });
  asked.job.update("leaf0", { state: "succeeded", value: 1 });
  const { cursor, results } = await first;
  expect(results.map(({ minion }) => minion)).toEqual(["leaf0"]);
  const rest = progress.collect(asked, { cursor, waitMs: 60_000, signal });
  for (const name of NAMES.slice(1)) asked.job.update(name, { state: "succeeded", value: 1 });
  expect((await rest).results).toHaveLength(NAMES.length - 1);
});

it("tells that calls have begun with the next that ends", async () => {
  const progress = new AboveProgress();
  const asked = jobOf("a-4", ["leaf0", "leaf1"]);
  const { signal } = new AbortController();
  asked.job.update("leaf0", { state: "running" });
  const { cursor, results } = await progress.collect(asked, { cursor: "", waitMs: 0, signal });
  expect(results).toMatchObject([{ minion: "leaf0", state: "running" }]);
  const next = progress.collect(asked, { cursor, waitMs: 60_000, signal });
  asked.job.update("leaf1", { state: "running" });
  await sleep(50);
  asked.job.update("leaf0", { state: "succeeded", value: 1 });
  const told = await next;
  expect(told.results).toMatchObject([
    { minion: "leaf1", state: "running" },
    { minion: "leaf0", state: "succeeded" },
  ]);
  const { results: alone } = await progress.collect(asked, { cursor: "", waitMs: 0, signal });
  expect(alone).toHaveLength(2);
  // nothing ends: it is told all the same
  asked.job.update("leaf1", { state: "running", cancelPending: true });
  const last = await progress.collect(asked, { cursor: told.cursor, waitMs: 60_000, signal });
  expect(last.results).toMatchObject([{ minion: "leaf1", state: "running" }]);
});

it("does not keep an asker that has gone", async () => {
  const progress = new AboveProgress();
  const asked = jobOf("a-3", NAMES);
  const asker = new AbortController();
  const told = progress.collect(asked, { cursor: "", waitMs: 60_000, signal: asker.signal });
  asker.abort();
  expect(await told).toMatchObject({ results: [], finished: false });
});

it("lets no reader wait for what others are told", async () => {
  const progress = new AboveProgress();
  const asked = jobOf("a-5", ["leaf0"]);
  const { signal } = new AbortController();
  asked.job.update("leaf0", { state: "running" });
  const { cursor } = await progress.collect(asked, { cursor: "", waitMs: 0, signal });
  const readers = Array.from({ length: 50 }, () => {
    const own = new AbortController();
    return progress.collect(asked, { cursor, waitMs: 60_000, signal: own.signal });
  });
  asked.job.update("leaf0", { state: "running", cancelPending: true });
  // one a second would be longer than a test may take
  for (const { results } of await Promise.all(readers)) expect(results).toHaveLength(1);
});
