import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { QuietNote, waitingText } from "../../server/cli/quietNote";
import type { MinionResult } from "../../server/protocol/jobs";

const RESULTS: MinionResult[] = [
  { minion: "web0", state: "succeeded" },
  { minion: "web1", state: "running" },
  { minion: "web2", state: "running", via: ["mid1"] },
  { minion: "web3", state: "sent", via: ["mid1"] },
];

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("those without a result are named, with whom they stand behind", () => {
  expect(waitingText(RESULTS)).toBe("web1, web2, web3 (via mid1)");
  expect(waitingText(RESULTS.slice(0, 1))).toBe("");
});

test("it is said once, ten seconds after the last news", async () => {
  const told: string[] = [];
  const quiet = new QuietNote(
    (text) => told.push(text),
    () => Promise.resolve(RESULTS),
  );
  await vi.advanceTimersByTimeAsync(9_000);
  quiet.news();
  await vi.advanceTimersByTimeAsync(9_000);
  expect(told).toEqual([]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(told).toEqual([
    "func: no news for 10 s: waiting for web1, web2, web3 (via mid1).\n" +
      "      Ctrl-C leaves it, and the job goes on.\n",
  ]);
  quiet.news();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(told).toHaveLength(1);
});

test("nothing is said once it was closed, or where nobody can be asked", async () => {
  const told: string[] = [];
  const note = (text: string): void => void told.push(text);
  new QuietNote(note, () => Promise.resolve(RESULTS)).close();
  const lost = new QuietNote(note, () => Promise.reject(new Error("gone")));
  await vi.advanceTimersByTimeAsync(30_000);
  lost.close();
  expect(told).toEqual([]);
});
