import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import type { SqlJsStatic } from "sql.js";
import { beforeAll, expect, test } from "vitest";
import { loadSqlite } from "../../server/jobs/store/database";
import { attemptsOf, latestResults, unfinishedJob } from "../../server/jobs/store/dayQueries";
import { StoreDatabases } from "../../server/jobs/store/storeDatabases";
import type { JobEvent } from "../../server/jobs/store/storeTypes";
import { anyEvent } from "../fixtures/storeEvents";
import { StoreModel } from "../fixtures/storeModel";

/** What happens to a store: events come, it is written, or its process ends and another takes over. */
type Step =
  | { kind: "events"; events: JobEvent[] }
  | { kind: "checkpoint" }
  /** Ends after some of the files were written. */
  | { kind: "cut"; blocked: string }
  | { kind: "crash" }
  /** The journal is replayed from further back than it needs to be. */
  | { kind: "replay" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .array(anyEvent, { maxLength: 12 })
      .map((events) => ({ kind: "events" as const, events })),
  },
  { weight: 2, arbitrary: fc.constant({ kind: "checkpoint" as const }) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom("index.db", "2026-11-20.db", "2026-11-21.db", "2026-11-22.db")
      .map((blocked) => ({ kind: "cut" as const, blocked })),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "crash" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "replay" as const }) },
);

let sqlite: SqlJsStatic;

beforeAll(async () => {
  sqlite = await loadSqlite("node_modules/sql.js/dist/sql-wasm.wasm");
});

/** A store with its journal, as the overlord has them. */
class Lab {
  readonly model = new StoreModel();
  private readonly folder = join(mkdtempSync(join(tmpdir(), "store-model-")), "jobs");
  private journal: { seq: number; lines: string[] }[] = [];
  private dropped = 0;
  private seq = 0;
  databases = this.start();

  async run(step: Step): Promise<void> {
    switch (step.kind) {
      case "events": {
        const record = {
          seq: ++this.seq,
          lines: step.events.map((event) => JSON.stringify(event)),
        };
        this.journal.push(record);
        this.databases.apply(record.seq, record.lines);
        for (const event of step.events) this.model.apply(event);
        return;
      }
      case "checkpoint":
        await this.checkpoint();
        return;
      case "cut":
        mkdirSync(join(this.folder, `${step.blocked}.tmp`));
        await this.checkpoint().catch(() => undefined);
        rmSync(join(this.folder, `${step.blocked}.tmp`), { recursive: true, force: true });
        this.restart();
        return;
      case "crash":
        this.restart();
        return;
      case "replay":
        this.restart(0);
    }
  }

  end(): void {
    this.databases.close();
    rmSync(join(this.folder, ".."), { recursive: true, force: true });
  }

  private async checkpoint(): Promise<void> {
    const seq = await this.databases.checkpoint();
    // every other time the journal still has what is not needed any more
    if (++this.dropped % 2 === 0) this.journal = this.journal.filter((record) => record.seq > seq);
  }

  private restart(from?: number): void {
    this.databases.close();
    this.databases = this.start(from);
  }

  private start(from?: number): StoreDatabases {
    const databases = new StoreDatabases(sqlite, {
      folder: this.folder,
      memoryBytes: 1,
      problem: (message) => {
        throw new Error(message);
      },
    });
    const { appliedSeq, problems } = databases.open();
    expect(problems).toEqual([]);
    for (const { seq, lines } of this.journal) {
      if (seq > (from ?? appliedSeq)) databases.apply(seq, lines);
    }
    return databases;
  }
}

function compare({ databases, model }: Lab): void {
  databases.settle();
  expect(databases.index.jobCount).toBe(model.jobs.size);
  for (const [id, { record }] of model.jobs) {
    const summary = model.summary(id);
    expect(databases.index.find(id)).toMatchObject(summary ?? {});
    expect(databases.index.find(id)?.failedCommands).toBe(summary?.failedCommands);
    const found = databases.find(id);
    if (!found) throw new Error(`${id} is not there`);
    const { day, job } = found;
    expect(job.fullRecord()).toEqual(record);
    expect(latestResults(day, job, 0, 100)).toEqual(model.results(id));
    const ways = unfinishedJob(day, job).minions.map(({ minion, path }) => [minion, path]);
    expect(ways).toEqual(model.ways(id));
    const doubts = unfinishedJob(day, job).minions.map((one) => [one.minion, one.doubts ?? []]);
    expect(doubts).toEqual(model.doubts(id));
    for (const { name } of record.minions) {
      expect(attemptsOf(day, job, name)).toEqual(model.attempts(id, name));
    }
  }
  const open = databases.openJobs().map(({ job }) => job.record.id);
  expect(open.sort()).toEqual(model.unfinished().sort());
  const held = databases.index.heldOutputs();
  for (const one of held) one.sha256.sort();
  const byId = (one: { jobId: string }, other: { jobId: string }): number =>
    one.jobId < other.jobId ? -1 : 1;
  expect(held.sort(byId)).toEqual(model.held().sort(byId));
}

test("whatever happens, the store knows what its events say", { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const lab = new Lab();
      try {
        for (const one of steps) {
          await lab.run(one);
          if (one.kind !== "events") compare(lab);
        }
        compare(lab);
      } finally {
        lab.end();
      }
    }),
    { numRuns: 60 },
  );
});
