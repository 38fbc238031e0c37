import fc from "fast-check";
import { expect, it } from "vitest";
import { callIdOf, createJobId, isJobId, noJobIdText } from "../../server/jobs/jobId";

it("has the original's form", () => {
  const id = createJobId("web-*;db1", "test-x", "ping", Date.now() + 60_000);
  expect(id).toMatch(/^web_\*;db1-test_x-ping-\d{10}\.\d{6}$/);
});

it("is never the same twice, also in one microsecond and when the clock goes back", () => {
  const ids = Array.from({ length: 5_000 }, (_, index) =>
    createJobId("*", "test", "ping", 1_795_305_473_670 - index),
  );
  expect(new Set(ids).size).toBe(ids.length);
});

it("stays short for a long expression, and different for different ones", () => {
  const long = "host;".repeat(10_000);
  expect(createJobId(long, "test", "ping").length).toBeLessThan(200);
  const spec = (id: string): string | undefined => id.split("-")[0];
  expect(spec(createJobId(`${long}a`, "t", "p"))).not.toBe(spec(createJobId(`${long}b`, "t", "p")));
});

it("gives each minion and attempt a call id of url-safe characters", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (job, minion) => {
      const id = callIdOf(job, minion);
      expect(id).toMatch(/^[\w-]{1,64}$/);
      expect(callIdOf(job, minion)).toBe(id);
      expect(callIdOf(job, minion, 2)).not.toBe(id);
      expect(callIdOf(job, `${minion}x`)).not.toBe(id);
    }),
  );
});

it("is taken from others where it can be one", () => {
  const answers = ["job-1", "x".repeat(1_000), "", "x".repeat(1_001), 1, null, ["job-1"]];
  expect(answers.map(isJobId)).toEqual([true, true, false, false, false, false, false]);
  expect(noJobIdText("x".repeat(1_001))).toBe(
    "it answered the start with a job id of 1001 characters, 1000 are the most.",
  );
  expect(noJobIdText("")).toBe("it answered the start without a job id.");
});
