import fc from "fast-check";
import { expect, it } from "vitest";
import { fanOut } from "../../server/calls/fanOut";
import { stepsOf } from "../../server/jobs/engine/batches";
import { ErrorLimit } from "../../server/jobs/engine/errorLimit";

interface Plan {
  minions: { fails: boolean; turns: number }[];
  nforks: number;
  size: string | undefined;
  maxErrors: number;
}

const plans: fc.Arbitrary<Plan> = fc.record({
  minions: fc.array(fc.record({ fails: fc.boolean(), turns: fc.nat(6) }), { maxLength: 30 }),
  nforks: fc.integer({ min: 1, max: 8 }),
  size: fc.oneof(
    fc.constant(undefined),
    fc.integer({ min: 1, max: 12 }).map(String),
    fc.nat(100).map((share) => `${share}%`),
  ),
  maxErrors: fc.nat(6),
});

/** Runs a job as its steps and its limit say, with work that takes some turns of the event loop. */
async function run({ minions, nforks, size, maxErrors }: Plan) {
  const limit = new ErrorLimit(maxErrors);
  const never = new AbortController().signal;
  const seen = { begun: 0, inFlight: 0, failed: 0, mostInFlight: 0, skipped: 0 };
  let atThreshold: number | undefined;
  const names = minions.map((_, index) => String(index));
  for (const step of stepsOf(names, { size })) {
    await fanOut({
      items: step,
      nforks,
      signal: AbortSignal.any([never, limit.signal]),
      run: async (name) => {
        const { fails, turns } = minions[Number(name)] ?? { fails: false, turns: 0 };
        seen.begun++;
        seen.mostInFlight = Math.max(seen.mostInFlight, ++seen.inFlight);
        for (let turn = 0; turn < turns; turn++) await Promise.resolve();
        seen.inFlight--;
        if (fails) seen.failed++;
        limit.ended({ state: fails ? "failed" : "succeeded" });
        if (limit.isPassed) atThreshold ??= seen.begun;
      },
      skip: () => {
        seen.skipped++;
      },
    });
    expect(seen.inFlight).toBe(0);
  }
  return { ...seen, atThreshold };
}

it("touches nobody once more have failed than may, but those in flight, whatever the steps", async () => {
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      const { begun, failed, skipped, mostInFlight, atThreshold } = await run(plan);
      expect(begun + skipped).toBe(plan.minions.length);
      expect(mostInFlight).toBeLessThanOrEqual(plan.nforks);
      const isPassed = failed > plan.maxErrors;
      expect(atThreshold !== undefined).toBe(isPassed);
      // none was begun after that
      expect(begun).toBe(atThreshold ?? plan.minions.length);
      expect(failed).toBeLessThanOrEqual(plan.maxErrors + plan.nforks);
    }),
    { numRuns: 1_000 },
  );
});

it("goes on to the end where few enough fail, and with no limit at all", async () => {
  const minions = Array.from({ length: 9 }, (_, index) => ({ fails: index < 3, turns: index % 4 }));
  const all = await run({ minions, nforks: 2, size: "2", maxErrors: 3 });
  expect([all.begun, all.skipped]).toEqual([9, 0]);
});
