import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { MinionResult } from "../../server/protocol/jobs";
import { RealFleet } from "../fixtures/realFleet";

const NAMES = ["web1", "web2", "web3", "db1"];
const ROUNDS = 4;
const KILLS = 12;

let fleet: RealFleet;

beforeAll(async () => {
  fleet = await RealFleet.create();
  await fleet.add(...NAMES);
});
afterAll(() => fleet.close());

it("killing the overlord or a minion at any moment of a renewal loses no minion", async () => {
  const keys = new Set<string>();
  for (let round = 0; round < KILLS; round++) {
    const connection = await fleet.connection();
    const renewing = connection
      .request("certmaster/renew", { spec: "web*" })
      .catch(() => undefined);
    await sleep(randomInt(0, 120));
    if (round % 2 === 0) {
      await fleet.stopOverlord();
    } else {
      await fleet.stopMinion("web1");
      await fleet.startMinion("web1");
    }
    await renewing;
    const results = await fleet.call("test", "ping");
    expect([...results.values()].filter(({ state }) => state !== "succeeded")).toEqual([]);
    keys.add((await fleet.record("web1")).keyFingerprint);
  }
  expect(keys.size).toBeGreaterThan(1);
});

it("renewing all minions again and again under load fails no call, held, long or new", async () => {
  const connection = await fleet.connection();
  const failed: MinionResult[] = [];
  let answered = 0;
  const count = (results: Map<string, MinionResult>): void => {
    for (const result of results.values()) {
      if (result.state === "succeeded") answered++;
      else failed.push(result);
    }
  };
  const load = { over: false };
  const loop = async (call: () => Promise<Map<string, MinionResult>>): Promise<void> => {
    while (!load.over) count(await call());
  };
  const loops = [
    ...Array.from({ length: 3 }, () => loop(() => fleet.call("test", "echo", ["x"]))),
    // begun under one key, answered after the next
    loop(() => fleet.call("command", "run", ["sleep 0.7"])),
    loop(() => fleet.call("jobs", "job_status", ["none"])),
  ];
  const keys = new Map(NAMES.map((name) => [name, new Set<string>()]));
  for (let round = 0; round < ROUNDS; round++) {
    const { renewed, failed: notRenewed } = await connection.request("certmaster/renew", {
      spec: "*",
    });
    expect(notRenewed).toEqual([]);
    expect(renewed).toHaveLength(NAMES.length);
    for (const name of NAMES) keys.get(name)?.add((await fleet.record(name)).keyFingerprint);
    count(await fleet.call("test", "ping"));
  }
  load.over = true;
  await Promise.all(loops);
  expect(failed).toEqual([]);
  expect(answered).toBeGreaterThan(NAMES.length * ROUNDS * 2);
  for (const name of NAMES) expect(keys.get(name)?.size).toBe(ROUNDS);
});
