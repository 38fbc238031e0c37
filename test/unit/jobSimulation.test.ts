import { afterAll, expect, it, vi } from "vitest";
import { simulate } from "../chaos/simulation/simulation";

vi.mock("node:timers/promises", async () => await import("../chaos/simulation/virtualTimers"));

/** Another range with SIMULATION_SEED; so many schedules with SIMULATION_COUNT. */
const FIRST_SEED = Number(process.env["SIMULATION_SEED"] ?? 1);
const COUNT = Number(process.env["SIMULATION_COUNT"] ?? 300);

const sums = { jobs: 0, pairs: 0, overlordKills: 0, funcdKills: 0, tornWrites: 0, acknowledged: 0 };

afterAll(() => {
  if (process.env["SIMULATION_COUNT"] !== undefined) console.log(JSON.stringify(sums));
});

it("keeps its promises in simulated time, whatever is killed, lost or repeated", async () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + COUNT; seed++) {
    const { violations, ...report } = await simulate(seed);
    expect(violations, `SIMULATION_SEED=${seed} SIMULATION_COUNT=1`).toEqual([]);
    for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += report[name];
  }
  expect(sums.overlordKills).toBeGreaterThan(0);
}, 600_000);

// a minion that had said that it has the call, and went away before it was asked for the job
it("keeps them in the schedules that once broke them", async () => {
  for (const seed of [5571]) {
    const { violations } = await simulate(seed);
    expect(violations, `SIMULATION_SEED=${seed} SIMULATION_COUNT=1`).toEqual([]);
  }
});
