import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { JobProgress } from "../../server/protocol/jobs";
import { until } from "../fixtures/overlordBundle";
import { RealFleet } from "../fixtures/realFleet";

const NAMES = ["web1", "web2", "web3", "web4"];

let fleet: RealFleet;

beforeAll(async () => {
  fleet = await RealFleet.create();
  await fleet.add(...NAMES);
});

afterAll(async () => {
  await fleet.close();
});

/** The work counts its starts itself: one line in a file for each. */
function countingCommand(file: string, seconds: number): string {
  return `echo $FUNC_JOB started >> ${file}; sleep ${seconds}; echo done`;
}

async function starts(file: string): Promise<number> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text.split("\n").filter((line) => line !== "").length;
}

async function ended(jobId: string): Promise<JobProgress> {
  const connection = await fleet.connection();
  await until(async () => {
    const { code } = await connection.request("jobs/status", { jobId });
    return code === 1;
  });
  return connection.request("jobs/watch", { jobId });
}

it("collects all that started, and starts nothing twice, after a kill when half have their job id", async () => {
  const file = join(fleet.root, "half");
  // two of them do not answer the start before the overlord is killed
  fleet.pause("web3", "web4");
  const connection = await fleet.connection();
  const { id } = await connection.request("calls/start", {
    spec: "*",
    module: "command",
    method: "run",
    args: [countingCommand(file, 2)],
    async: true,
  });
  await until(async () => {
    const { summary } = await connection.request("jobs/watch", { jobId: id });
    return summary.counts.running === 2 && summary.counts.sent === 2;
  });
  await fleet.stopOverlord();
  fleet.unpause("web3", "web4");
  const { summary, results } = await ended(id);
  expect(summary).toMatchObject({ code: 1, counts: { succeeded: 4 } });
  expect(results.map(({ value }) => value)).toEqual(NAMES.map(() => [0, "done\n", ""]));
  expect(await starts(file)).toBe(4);
  const { events } = await (
    await fleet.connection()
  ).request("jobs/history", { jobId: id, from: 0, limit: 100 });
  expect(events.map((event) => (event.kind === "job" ? event.event : ""))).toContain("resumed");
});
