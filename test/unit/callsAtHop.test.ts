import { expect, it } from "vitest";
import { callsAtHop, tellOnce } from "../../server/jobs/engine/callsAtHop";
import type { Cancel } from "../../server/jobs/engine/pendingCancels";
import { Job } from "../../server/jobs/job";
import type { MinionRecord } from "../../server/protocol/minions";
import { jobRecord } from "../fixtures/jobEvents";

const HOP: MinionRecord = {
  name: "mid1",
  address: "127.0.0.1",
  port: 51_234,
  state: "unknown",
  enrolledAtMs: 0,
  keyFingerprint: "",
  certificateSerial: "",
  certificateNotAfterMs: 0,
};

function retriedJob(): Job {
  const job = new Job(jobRecord("job1", ["leaf1", "leaf2", "leaf3"]));
  job.again(["leaf2"]);
  return job;
}

it("tells of each attempt by itself, though one job at the hop has them all", () => {
  const calls = callsAtHop(retriedJob(), HOP, "delegated-1", ["leaf1", "leaf2", "leaf3"]);
  expect(calls).toMatchObject([
    { jobId: "job1", id: "delegated-1", attempt: 1, names: ["leaf1", "leaf3"] },
    { jobId: "job1", id: "delegated-1", attempt: 2, names: ["leaf2"] },
  ]);
});

it("tells the hop once, and remembers all where it is away", async () => {
  const calls = callsAtHop(retriedJob(), HOP, "delegated-1", ["leaf1", "leaf2"]);
  const told: Cancel[] = [];
  const added: Cancel[] = [];
  // what PendingCancels does of itself
  const answering = (answer: "stops" | "away") => ({
    tell: (cancel: Cancel) => {
      told.push(cancel);
      if (answer === "away") added.push(cancel);
      return Promise.resolve(answer);
    },
    add: (cancel: Cancel) => void added.push(cancel),
  });
  expect(await tellOnce(answering("stops"), calls)).toBe("stops");
  expect([told, added]).toEqual([calls.slice(0, 1), []]);
  expect(await tellOnce(answering("away"), calls)).toBe("away");
  expect(added).toEqual(calls);
});
