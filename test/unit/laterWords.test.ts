import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { MinionCaller } from "../../server/calls/minionCaller";
import { SeenMinions } from "../../server/calls/seenMinions";
import { laterEnds } from "../../server/delegation/laterEnds";
import type { ResultTrust } from "../../server/delegation/resultTrust";
import {
  LaterWords,
  type LaterEnds,
  type LaterWordsParts,
} from "../../server/jobs/engine/laterWords";
import type { LaterQuestion } from "../../server/jobs/engine/minionsBehind";
import type { Cancel } from "../../server/jobs/engine/pendingCancels";
import type { JobRecord } from "../../server/jobs/store/storeTypes";
import type { LaterWord } from "../../server/protocol/jobs";

// what hops answer is made up here: hundreds of them that hang are not to be had as processes
const OPEN: LaterEnds = { words: new Map(), isOpen: true };
const AWAY: LaterEnds = { ...OPEN, isAway: true };
const WORD: LaterWord = { state: "succeeded", atMs: 1, message: "it had succeeded" };

let words: LaterWords | undefined;
beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  words?.close();
  vi.useRealTimers();
});

function hopRecord(name: string): Cancel["minion"] {
  const times = { state: "enrolled", enrolledAtMs: 0 };
  return { name, address: name, port: 51234, ...times } as unknown as Cancel["minion"];
}

function callAt(hop: string, job: number): Cancel {
  return {
    ...{ jobId: `job-${job}`, minion: hopRecord(hop), attempt: 1, id: `at-${hop}-${job}` },
    ...{ sinceMs: Date.now(), names: ["web1"] },
  };
}

interface Followed {
  told: string[];
  seen: SeenMinions;
  warnings: unknown[];
}

function follow(
  calls: readonly Cancel[],
  laterEnds: (question: LaterQuestion) => Promise<LaterEnds>,
  record?: LaterWordsParts["store"]["record"],
): Followed {
  const told: string[] = [];
  const warnings: unknown[] = [];
  const seen = new SeenMinions();
  const kept = { minions: [{ name: "web1", path: ["mid", "web1"] }] } as unknown as JobRecord;
  words = new LaterWords({
    caller: {} as MinionCaller,
    seen,
    store: { record: record ?? (() => Promise.resolve(kept)) },
    hops: { call: () => Promise.resolve(), laterEnds },
    log: { warn: (...line: unknown[]) => void warnings.push(line) } as never,
    onWord: (call, _minion, word) => {
      told.push(`${call.id}: ${word ? word.message : "none"}`);
      return true;
    },
  });
  for (const call of calls) words.add(call);
  return { told, seen, warnings };
}

function wordOf(): LaterEnds {
  return { words: new Map([["web1", WORD]]), isOpen: false };
}

it("does not let hops that hang keep others waiting", async () => {
  const hanging = Array.from({ length: 320 }, (_, at) => callAt(`mid${at % 10}`, at));
  const calls = [...hanging, callAt("quick", 1_000)];
  let asked = 0;
  const { told } = follow(calls, async ({ hop }) => {
    if (hop.name === "quick") return wordOf();
    asked++;
    await new Promise((resolve) => setTimeout(resolve, 25_000));
    return AWAY;
  });
  await vi.advanceTimersByTimeAsync(2_000);
  expect(told).toEqual(["at-quick-1000: it had succeeded"]);
  await vi.advanceTimersByTimeAsync(28_000);
  // one that is found away is so for all who stand in its line
  expect(asked).toBeLessThanOrEqual(20);
});

it("asks a hop that answers about many jobs at a time", async () => {
  const calls = Array.from({ length: 100 }, (_, at) => callAt("mid1", at));
  let now = 0;
  let most = 0;
  follow(calls, async () => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    now--;
    return OPEN;
  });
  await vi.advanceTimersByTimeAsync(6_500);
  expect(most).toBe(16);
});

it("tells the words that a hop has while it asks for others that still run there", async () => {
  const calls = Array.from({ length: 300 }, (_, at) => callAt("mid1", at));
  const caller: Pick<MinionCaller, "call"> = {
    call: async (_hop, _method, [id, cursor, seconds]) => {
      const result = { minion: "web1", callId: "job-299", state: "succeeded" };
      const results = id === "at-mid1-299" ? [result] : [];
      const finished = results.length > 0;
      // as a hop that has nothing to tell holds the question
      if (!finished) await new Promise((go) => setTimeout(go, Number(seconds) * 1_000));
      return { state: "succeeded", value: JSON.stringify({ cursor, results, finished }) };
    },
  };
  const { told } = follow(calls, ({ asked: [one], ...question }) => {
    const asked = one ? [{ ...one, callId: question.hopJobId.replace("at-mid1", "job") }] : [];
    return laterEnds({ ...question, asked, isForAbove: true }, caller, {} as ResultTrust);
  });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(told).toEqual(["at-mid1-299: mid1 told later: on web1 it had succeeded"]);
});

it("reads the record of a job once for all its calls that are asked together", async () => {
  let reads = 0;
  const kept = { minions: [{ name: "web1", path: ["mid", "web1"] }] } as unknown as JobRecord;
  const calls = Array.from({ length: 500 }, (_, at) => ({ ...callAt(`mid${at}`, at), jobId: "a" }));
  const { told } = follow(
    calls,
    () => Promise.resolve(wordOf()),
    () => {
      reads++;
      return Promise.resolve(kept);
    },
  );
  await vi.advanceTimersByTimeAsync(2_000);
  expect(told).toHaveLength(500);
  expect(reads).toBe(1);
});

it("asks who was away when it gives a sign of life, and who lives only now and then", async () => {
  let answer = AWAY;
  let asked = 0;
  const { seen, told } = follow([callAt("mid1", 1)], () => {
    asked++;
    return Promise.resolve(answer);
  });
  await vi.advanceTimersByTimeAsync(60_000);
  const whileAway = asked;
  expect(whileAway).toBeGreaterThan(2);
  answer = OPEN;
  seen.answered(hopRecord("mid1"));
  await vi.advanceTimersByTimeAsync(2_000);
  expect(asked).toBe(whileAway + 1);
  for (let second = 0; second < 20; second++) {
    seen.answered(hopRecord("mid1"));
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(asked).toBe(whileAway + 1);
  answer = wordOf();
  await vi.advanceTimersByTimeAsync(6 * 60_000);
  expect(told).toEqual(["at-mid1-1: it had succeeded"]);
});

it("gives no word up because the store cannot be read, but that of a job that was deleted", async () => {
  let problem: Error | undefined = new Error("the disk does not answer");
  const readable = { minions: [{ name: "web1", path: ["mid", "web1"] }] } as unknown as JobRecord;
  const { told } = follow(
    [callAt("mid1", 1), callAt("mid2", 2)],
    () => Promise.resolve(wordOf()),
    (jobId) => {
      if (jobId === "job-2") return Promise.resolve(undefined);
      return problem ? Promise.reject(problem) : Promise.resolve(readable);
    },
  );
  await vi.advanceTimersByTimeAsync(30_000);
  expect(told).toEqual(["at-mid2-2: none"]);
  problem = undefined;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(told).toContain("at-mid1-1: it had succeeded");
});

it("asks a hop that does not know the job for a minute more: its start may still be on its way", async () => {
  const unknown: LaterEnds = { words: new Map(), isOpen: false, isUnknown: true };
  let answer = unknown;
  const { told } = follow([callAt("mid1", 1)], () => Promise.resolve(answer));
  await vi.advanceTimersByTimeAsync(5_000);
  expect(told).toEqual([]);
  answer = wordOf();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(told).toEqual(["at-mid1-1: it had succeeded"]);
  const never = follow([callAt("mid2", 2)], () => Promise.resolve(unknown));
  await vi.advanceTimersByTimeAsync(3 * 60_000);
  expect(never.told).toEqual(["at-mid2-2: none"]);
});

it("tells that there are too many without a line for each", () => {
  const calls = Array.from({ length: 20_100 }, (_, at) => callAt("mid1", at));
  const { warnings } = follow(calls, () => Promise.resolve(OPEN));
  expect(warnings).toHaveLength(1);
});
