import fc from "fast-check";
import { expect, test } from "vitest";
import {
  LEAST_KEEP_MS,
  planRetention,
  type RetentionState,
} from "../../server/jobs/store/retention";

const DAY_MS = 24 * 60 * 60_000;
const NOW = Date.UTC(2026, 10, 22);
const LIMITS = { keepMs: 7 * DAY_MS, keepJobs: 1_000, keepBytes: 1e9 };

/** Jobs that ended so long ago, of 100 bytes each. */
function state(agesMs: readonly number[], more: Partial<RetentionState> = {}): RetentionState {
  const finished = agesMs
    .map((ageMs, at) => ({ id: `job${at}`, day: "2026-11-20", finishedAtMs: NOW - ageMs }))
    .sort((one, other) => one.finishedAtMs - other.finishedAtMs);
  return {
    nowMs: NOW,
    finished,
    jobs: finished.length,
    bytes: finished.length * 100,
    bytesOf: () => 100,
    sawEnd: () => false,
    ageBudget: 1_000,
    ...more,
  };
}

test("jobs go at the end of their time", () => {
  const plan = planRetention(state([8 * DAY_MS, 7 * DAY_MS, 7 * DAY_MS - 1, 0]), LIMITS);
  expect(plan).toEqual({ aged: ["job0", "job1"], beyond: [] });
});

test("a result can be fetched for an hour, whatever the limits", () => {
  const limits = { keepMs: 0, keepJobs: 0, keepBytes: 1e9 };
  const plan = planRetention(state([LEAST_KEEP_MS, LEAST_KEEP_MS - 1, 5]), limits);
  expect(plan).toEqual({ aged: ["job0"], beyond: [] });
});

test("beyond the number the oldest go, and running ones count", () => {
  const ages = [5, 3, 4, 2].map((hours) => hours * LEAST_KEEP_MS);
  const plan = planRetention(state(ages, { jobs: 6 }), { ...LIMITS, keepJobs: 4 });
  expect(plan).toEqual({ aged: [], beyond: ["job0", "job2"] });
});

test("a full store takes the youngest as well, but old ones first", () => {
  const ages = [5, 2 * LEAST_KEEP_MS, 10, 3 * LEAST_KEEP_MS];
  const plan = planRetention(state(ages), { ...LIMITS, keepBytes: 100 });
  expect(plan).toEqual({ aged: [], beyond: ["job3", "job1", "job2"] });
});

test("a clock that jumps ahead takes no more than its part", () => {
  const ages = Array.from({ length: 100 }, (_, at) => at * 1_000);
  const jumped = state(ages, { nowMs: NOW + 400 * DAY_MS, ageBudget: 10 });
  const { aged, beyond } = planRetention(jumped, LIMITS);
  expect(aged).toHaveLength(10);
  expect(beyond).toEqual([]);
});

test("a clock that was behind does not age what has just ended", () => {
  const seen = state([500 * DAY_MS], { sawEnd: () => true });
  expect(planRetention(seen, { ...LIMITS, keepJobs: 0 })).toEqual({ aged: [], beyond: [] });
});

test("what ended in the future of a wrong clock counts as old where there are too many", () => {
  const plan = planRetention(state([-300 * DAY_MS, 5]), { ...LIMITS, keepJobs: 1 });
  expect(plan).toEqual({ aged: [], beyond: ["job0"] });
});

test("nothing goes twice, and nothing that need not go", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -DAY_MS, max: 20 * DAY_MS }), { maxLength: 40 }),
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 0, max: 4_000 }),
      (ages, keepJobs, keepBytes) => {
        const { aged, beyond } = planRetention(state(ages), { ...LIMITS, keepJobs, keepBytes });
        const gone = [...aged, ...beyond];
        expect(new Set(gone).size).toBe(gone.length);
        expect((ages.length - gone.length) * 100).toBeLessThanOrEqual(keepBytes);
        const last = gone.length - 1;
        if (beyond.length > 0) {
          const needed = ages.length - last > keepJobs || (ages.length - last) * 100 > keepBytes;
          expect(needed).toBe(true);
        }
      },
    ),
  );
});
