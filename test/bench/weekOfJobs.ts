import { digestOfJson } from "../../server/jobs/resultDigest";
import type { JobEvent, JobRecord, StoredResult } from "../../server/jobs/store/storeTypes";

export const JOBS = 1_000;
export const MINIONS = 1_000;
const DAYS = 7;
const DAY_MS = 86_400_000;
/** One result in so many failed, has 2 KB, or names the needle of a search. */
const FAILED = 50;
const LARGE = 10;

/** The midnight that the week ends with. */
export function weekEnd(): number {
  return Math.ceil(Date.now() / DAY_MS) * DAY_MS;
}

/** Job `number`, the first one being the oldest. */
export function jobOf(number: number, endMs: number): JobRecord {
  const method = number % 3 === 0 ? "run" : "exists";
  const createdAtMs = endMs - DAYS * DAY_MS + Math.floor((number / JOBS) * DAYS * DAY_MS);
  return {
    id: `*-command-${method}-${createdAtMs / 1_000}`,
    spec: "*",
    module: "command",
    method,
    args: [`uptime # ${number}`],
    argsText: `"uptime # ${number}"`,
    async: number % 2 === 0,
    createdAtMs,
    nforks: 64,
    keepPlaces: false,
    minions: Array.from({ length: MINIONS }, (_, minion) => ({
      name: `web${minion}.example.org`,
      address: `10.0.${minion >> 8}.${minion & 255}`,
      port: 51_234,
    })),
  };
}

/** All that happens to a job: sent and answered by each minion, and finished. */
export function* eventsOf(job: JobRecord): Generator<JobEvent> {
  yield { kind: "created", job };
  for (const [place, { name }] of job.minions.entries()) {
    yield { kind: "ended", jobId: job.id, result: resultOf(job, name, place) };
    if (!job.async) continue;
    const told = { jobId: job.id, minion: name, attempt: 1 };
    yield { kind: "told", ...told, what: "kept" };
  }
  yield { kind: "noted", jobId: job.id, atMs: job.createdAtMs + 60_000, event: "finished" };
}

function resultOf(job: JobRecord, minion: string, place: number): StoredResult {
  const startedAtMs = job.createdAtMs + place;
  const known = { minion, attempt: 1, outputs: [], startedAtMs, durationMs: 40 + (place % 17) };
  const atMs = startedAtMs + known.durationMs;
  const async = job.async && { minionJobId: `${minion}-${job.createdAtMs}-${place}` };
  if (place % FAILED === 1) {
    const message = `${minion} (10.0.0.1:51234): the connection was refused`;
    const error = { type: "socket.error", message, trace: "" };
    const digest = digestOfJson(message);
    return { ...known, ...async, atMs, state: "failed", valueBytes: 0, error, digest };
  }
  const line = ` 12:00:00 up ${place % 99} days, load average: 0.${place % 100}\n`;
  const output = place % LARGE === 0 ? `${minion}${line.repeat(50)}` : line;
  const value = [0, output, ""];
  const json = JSON.stringify(value);
  return {
    ...known,
    ...async,
    atMs,
    state: "succeeded",
    value,
    valueBytes: json.length,
    exitStatus: 0,
    digest: digestOfJson(json),
  };
}
