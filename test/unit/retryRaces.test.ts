import { expect, it } from "vitest";
import type { MethodDirectory } from "../../server/calls/methodDirectory";
import type { MinionCaller } from "../../server/calls/minionCaller";
import { SeenMinions } from "../../server/calls/seenMinions";
import { silentLog } from "../../server/common/log";
import { CallRunner } from "../../server/jobs/engine/callRunner";
import { Job } from "../../server/jobs/job";
import { JobArchive } from "../../server/jobs/jobArchive";
import { JobJournal } from "../../server/jobs/engine/jobJournal";
import { JobRegistry } from "../../server/jobs/jobRegistry";
import type { ValueKeeper } from "../../server/jobs/outputs/valueKeeper";
import type { MinionRecord } from "../../server/protocol/minions";
import type { Inventory } from "../../server/targets/inventory";
import { created, ended, finished, jobRecord } from "../fixtures/jobEvents";
import { MemoryJobStore } from "../fixtures/memoryJobStore";
import { openOutputs } from "../fixtures/outputFolder";

const FAILED = { state: "failed", error: { type: "t", message: "m", trace: "" } } as const;

it("either calls a job again or forgets it, never both", async () => {
  const store = new MemoryJobStore();
  const failed = ended("job1");
  if (failed.kind !== "ended") throw new Error("not reached");
  await store.append([created("job1")]);
  await store.append([{ ...failed, result: { ...failed.result, ...FAILED } }, finished("job1")]);
  const jobs = new JobRegistry();
  const seen = new SeenMinions();
  let calls = 0;
  // of each, what a retry uses
  const parts = {
    caller: {
      call: () => {
        calls++;
        return new Promise(() => undefined);
      },
    } as unknown as MinionCaller,
    inventory: {
      find: (name: string) => ({ name }) as MinionRecord,
    } as unknown as Inventory,
    methods: { find: () => undefined } as unknown as MethodDirectory,
    keeper: {} as ValueKeeper,
  };
  const defaults = { nforks: 1, nforksGiven: false, deliveryTimeoutMs: 1_000, timeoutMs: 1_000 };
  const onResumed = (): void => undefined;
  const runner = new CallRunner({
    ...parts,
    jobs,
    store,
    seen,
    defaults,
    onResumed,
    log: silentLog,
  });
  const { files } = await openOutputs();
  const archive = new JobArchive(jobs, store, files, () => undefined);
  const conflict = { status: "rejected", reason: { reason: "conflict" } };

  const [deleting, late] = await Promise.allSettled([
    archive.delete(["job1", "job1"]),
    runner.retry("job1", undefined),
  ]);
  expect(deleting).toEqual({ status: "fulfilled", value: ["job1"] });
  expect(late).toMatchObject(conflict);
  expect(jobs.running()).toEqual([]);

  await store.append([created("job1")]);
  await store.append([{ ...failed, result: { ...failed.result, ...FAILED } }, finished("job1")]);
  const [retrying, refused] = await Promise.allSettled([
    runner.retry("job1", undefined),
    archive.delete(["job1"]),
  ]);
  expect(retrying.status).toBe("fulfilled");
  expect(refused).toMatchObject(conflict);
  expect(await store.find("job1")).toMatchObject({ finished: false });
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(calls).toBe(1);
  await expect(archive.delete(["job1"])).rejects.toThrow("runs; nothing was deleted");
});

it("does not call a job finished whose minion is called again while the last one ends", async () => {
  const store = new MemoryJobStore();
  const record = jobRecord("job1", ["web1", "web2"]);
  const journal = new JobJournal(store, silentLog, () => undefined);
  await journal.created(record);
  const job = new Job(record);
  await journal.ended(job, job.complete("web1", FAILED));
  const retrying = journal.retried(job, ["web1"], job.nextAttempt).then(() => {
    job.again(["web1"]);
  });
  const ending = journal.ended(job, job.complete("web2", { state: "succeeded", value: 1 }));
  await Promise.all([retrying, ending]);
  expect(job.finished).toBe(false);
  expect(job.isKept).toBe(false);
  // an overlord that is killed now: the next one goes on with web1
  expect(await store.unfinished()).toMatchObject([{ finished: false }]);
  await journal.ended(job, job.complete("web1", { state: "succeeded", value: 1 }));
  expect(job.isKept).toBe(true);
  expect(await store.unfinished()).toEqual([]);
  journal.close();
});
