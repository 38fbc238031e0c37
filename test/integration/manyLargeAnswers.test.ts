import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MemoryProbe } from "../fixtures/hostile/memoryProbe";
import { answer, TestFleet } from "../fixtures/testFleet";

const HEAVY = Array.from({ length: 8 }, (_, index) => `heavy${index}`);
const VALUES = 400_000;

let fleet: TestFleet;

beforeAll(async () => {
  fleet = await TestFleet.start([...HEAVY, "light"]);
});

afterAll(async () => {
  await fleet.close();
});

describe("answers of many values", () => {
  it("are taken in turn, whole, while other calls go on", async () => {
    const { pid } = await fleet.connection.request("overlord/status", {});
    const values = Array.from({ length: VALUES }, (_, index) => index);
    for (const name of HEAVY) {
      fleet.minion(name).handle = (request) =>
        request.method === "test.echo" ? Promise.resolve(values) : answer(request);
    }
    const probe = new MemoryProbe(pid);
    const heavy = fleet.call({ spec: "heavy*" });
    let light = 0;
    const ended = new AbortController();
    void heavy.finally(() => ended.abort());
    while (!ended.signal.aborted) {
      expect(await fleet.call({ spec: "light" })).toMatchObject({
        results: [{ state: "succeeded" }],
      });
      light++;
    }
    const { results } = await heavy;
    expect(results.map(({ state }) => state)).toEqual(HEAVY.map(() => "succeeded"));
    // equal ones are kept once
    expect(new Set(results.map(({ digest }) => digest)).size).toBe(1);
    expect(light).toBeGreaterThan(HEAVY.length);
    // all at once they took more than a gigabyte
    expect(probe.growth()).toBeLessThan(600);
  });

  it("that clients ask for all at once are read a few at a time", async () => {
    const text = "0123456789abcdef".repeat(4 * 65_536);
    fleet.minion("light").handle = (request) =>
      request.method === "test.echo" ? Promise.resolve(text) : answer(request);
    const job = await fleet.call({ spec: "light" });
    const { sha256 } = (job.results[0]?.value as { $output: { sha256: string } }).$output;
    const { pid } = await fleet.connection.request("overlord/status", {});
    const probe = new MemoryProbe(pid);
    const reads = Array.from({ length: 400 }, () =>
      fleet.connection.request("outputs/read", { sha256, offset: 0, length: 1_048_576 }),
    );
    for (const read of reads) expect((await read).bytes).toBe(text.length);
    expect(probe.growth()).toBeLessThan(150);
  });
});
