import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runChaos } from "../chaos/chaosRun";
import { buildPrograms } from "../fixtures/programs";

const SEED = 5;
const FAULTS_FOR_MS = 20_000;

let dist: string;

beforeAll(async () => {
  dist = await mkdtemp(join(tmpdir(), "func-chaos-"));
  await buildPrograms(dist);
});

afterAll(async () => {
  await rm(dist, { recursive: true, force: true });
});

it("keeps its promises under kills, cuts, delays and repeats", { timeout: 240_000 }, async () => {
  await tryPromises([5], FAULTS_FOR_MS);
});

it("keeps them through sub-overlords, which are killed too", { timeout: 240_000 }, async () => {
  await tryPromises([2, 2], FAULTS_FOR_MS / 2);
});

async function tryPromises(tree: readonly number[], forMs: number): Promise<void> {
  const report = await runChaos({
    seed: SEED,
    jobs: Infinity,
    tree,
    dist,
    version: "0.0.0-test",
    forMs,
    settleMs: 120_000,
    meanGapMs: 200,
    progress: () => undefined,
  });
  const again = `npm run chaos -- --tree ${tree.join("x")} --seed ${SEED} --gap 200 --minutes 1`;
  expect(report.violations, `to repeat: ${again}`).toEqual([]);
  expect(report.pairs).toBeGreaterThan(0);
  expect(report.faults["kill overlord"]).toBeGreaterThan(0);
  expect(report.faults["kill funcd"]).toBeGreaterThan(0);
}
