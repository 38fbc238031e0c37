import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { JobSummary, MinionResult } from "../../server/protocol/jobs";
import type { StartCallParams } from "../../server/protocol/requests";
import { until } from "../fixtures/overlordBundle";
import { RealFleet } from "../fixtures/realFleet";

const NAMES = ["web1", "web2", "web3", "web4", "web5", "web6"];

let fleet: RealFleet;
let log: string;
let runs = 0;

beforeAll(async () => {
  fleet = await RealFleet.create();
  await fleet.add(...NAMES);
}, 120_000);

afterAll(async () => {
  await fleet.close();
});

beforeEach(() => {
  log = join(fleet.root, `log-${++runs}`);
});

/** Each minion writes its beginning and its end into one file; those in `failing` end with status 1. */
async function start(
  params: Partial<StartCallParams>,
  { failing = "none", wait = "sleep 0.2" } = {},
): Promise<JobSummary> {
  // the command line of what runs it names the minion's folder
  const name = `name=$(tr '\\0' '\\n' </proc/$PPID/cmdline | grep -o 'web[0-9]' | head -n 1)`;
  const command = `${name}; echo begin $name >>${log}; ${wait}; echo end $name >>${log}; case $name in ${failing}) exit 1;; esac`;
  const connection = await fleet.connection();
  const call = { spec: "*", module: "command", method: "run", args: [command], ...params };
  return connection.request("calls/start", call);
}

async function ended(jobId: string): Promise<Record<string, MinionResult["state"]>> {
  const connection = await fleet.connection();
  let results: MinionResult[] = [];
  await until(async () => {
    const progress = await connection.request("jobs/watch", { jobId });
    ({ results } = progress);
    return progress.summary.finished;
  });
  return Object.fromEntries(results.map(({ minion, state }) => [minion, state]));
}

async function lines(): Promise<string[]> {
  return (await readFile(log, "utf8").catch(() => "")).split("\n").filter((line) => line !== "");
}

/** How many ran at most at the same time. */
async function mostAtOnce(): Promise<number> {
  let [now, most] = [0, 0];
  for (const line of await lines()) {
    now += line.startsWith("begin") ? 1 : -1;
    most = Math.max(most, now);
  }
  return most;
}

async function begun(): Promise<string[]> {
  return (await lines()).flatMap((line) => (line.startsWith("begin ") ? [line.slice(6)] : []));
}

const gate = (): { wait: string; open: () => Promise<void> } => {
  const file = `${log}-gate`;
  const wait = `while [ ! -e ${file} ]; do sleep 0.05; done`;
  return { wait, open: () => writeFile(file, "") };
};

describe("a job in steps", () => {
  for (const async of [false, true]) {
    it(`begins the next when the last has ended, the canaries first (async: ${async})`, async () => {
      const batch = { canary: "web4", size: "2" };
      const { id } = await start({ async, batch });
      expect(new Set(Object.values(await ended(id)))).toEqual(new Set(["succeeded"]));
      const order = await begun();
      expect(order[0]).toBe("web4");
      expect(new Set(order.slice(1, 3))).toEqual(new Set(["web1", "web2"]));
      expect(new Set(order.slice(3, 5))).toEqual(new Set(["web3", "web5"]));
      expect(order.slice(5)).toEqual(["web6"]);
      expect(await mostAtOnce()).toBeLessThanOrEqual(2);
    });

    it(`stops once too many have failed, with what is in flight going on (async: ${async})`, async () => {
      const batch = { size: "34%" };
      const { id } = await start({ async, batch, maxErrors: 1 }, { failing: "web1|web2|web3" });
      const states = await ended(id);
      expect(states).toEqual({
        web1: "succeeded",
        web2: "succeeded",
        web3: "skipped",
        web4: "skipped",
        web5: "skipped",
        web6: "skipped",
      });
      expect(new Set(await begun())).toEqual(new Set(["web1", "web2"]));
      const connection = await fleet.connection();
      const result = await connection.request("jobs/result", { jobId: id, minion: "web6" });
      expect(result.error?.message).toBe(
        "web6 was not called: 2 had failed by then, more than the 1 that may.",
      );
    });
  }

  it("stops without steps as well, at what is in flight", async () => {
    const { id } = await start({ nforks: 2, maxErrors: 0 }, { failing: "*" });
    const states = Object.values(await ended(id));
    expect(states.filter((state) => state === "skipped").length).toBeGreaterThanOrEqual(4);
    expect((await begun()).length).toBeLessThanOrEqual(2);
  });

  it("goes on past those that are away", async () => {
    await fleet.stopMinion("web1");
    const { id } = await start({ async: true, batch: { size: "1" } });
    const states = await ended(id);
    expect(states).toMatchObject({ web1: "unreachable", web2: "succeeded", web6: "succeeded" });
    await fleet.startMinion("web1");
  });

  it("is cancelled as a whole", async () => {
    const { wait } = gate();
    const { id } = await start({ async: true, batch: { size: "1" } }, { wait });
    await until(async () => (await begun()).length === 1);
    await (await fleet.connection()).request("jobs/cancel", { jobId: id });
    expect(new Set(Object.values(await ended(id)))).toEqual(new Set(["cancelled"]));
    expect(await begun()).toHaveLength(1);
  });

  it("goes on with its plan after a restart of the overlord", async () => {
    const { wait, open } = gate();
    const batch = { canary: "web6", size: "2" };
    const { id } = await start({ async: true, batch, maxErrors: 1 }, { wait, failing: "web[126]" });
    await until(async () => (await begun()).length === 1);
    await fleet.stopOverlord();
    await open();
    expect(await ended(id)).toEqual({
      web1: "succeeded",
      web2: "succeeded",
      web3: "skipped",
      web4: "skipped",
      web5: "skipped",
      web6: "succeeded",
    });
    expect((await begun()).sort()).toEqual(["web1", "web2", "web6"]);
  });

  it("is refused where none of its minions could go first", async () => {
    await expect(start({ batch: { canary: "nosuch" } })).rejects.toThrow("nosuch");
    await expect(start({ spec: "web1", batch: { canary: "web2" } })).rejects.toThrow(
      "means none of the job's minions",
    );
  });
});
