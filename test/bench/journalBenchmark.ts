import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { Journal } from "../../server/jobs/store/journal";
import { atMost } from "./benchRow";
import type { Benchmark } from "./benchmark";
import { interleaved, pairedRatio, pairs, spread } from "./statistics";

const MOST = 0.25;
const WRITERS = 64;
const EVENTS = 2_048;
const EVENT = Buffer.from(
  JSON.stringify({ kind: "ended", output: "a line of output\n".repeat(115) }),
);

/** Target T9: what it takes to make events durable that come from many calls at once. */
export const journalBenchmark: Benchmark = {
  name: "journal",
  what: "events of 2 KB made durable by 64 writers, against one sync for each",
  async *run({ folder, rounds }) {
    const grouped = (): Promise<number> => withJournal(join(folder, "grouped"));
    const single = (): Promise<number> => withSyncs(join(folder, "single"));
    const times = await interleaved(rounds, { grouped, single });
    yield atMost(MOST, {
      name: `T9 journal, ${WRITERS} writers / a sync for each event`,
      value: pairedRatio(pairs(times.grouped, times.single)),
      unit: "time",
      details: `${spread(times.grouped, 0)} against ${spread(times.single, 0)} us an event`,
    });
  },
};

/** us for an event. */
async function withJournal(folder: string): Promise<number> {
  await mkdir(folder);
  const journal = new Journal({
    folder,
    nextSeq: 1,
    last: 0,
    makeRoom: () => Promise.resolve(),
    onDurable: () => undefined,
  });
  const begin = performance.now();
  const writer = async (): Promise<void> => {
    for (let event = 0; event < EVENTS / WRITERS; event++) await journal.append(EVENT, false);
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
  const took = performance.now() - begin;
  await journal.close();
  await rm(folder, { recursive: true });
  return (took * 1_000) / EVENTS;
}

async function withSyncs(file: string): Promise<number> {
  const handle = await open(file, "w");
  const begin = performance.now();
  for (let event = 0; event < EVENTS; event++) {
    await handle.write(EVENT);
    await handle.datasync();
  }
  const took = performance.now() - begin;
  await handle.close();
  await rm(file);
  return (took * 1_000) / EVENTS;
}
