import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { fanOut, missingLast } from "../../server/calls/fanOut";
import { AsideLane, type Place } from "../../server/calls/place";
import type { MinionRecord } from "../../server/protocol/minions";

/** A run that ends when it is told to. */
class Gates {
  readonly open = new Map<number, () => void>();
  most = 0;

  run = async (item: number): Promise<void> => {
    await new Promise<void>((resolve) => {
      this.open.set(item, resolve);
      this.most = Math.max(this.most, this.open.size);
    });
  };

  async release(item: number): Promise<void> {
    this.open.get(item)?.();
    this.open.delete(item);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

it("runs each item once, never more than nforks at once", async () => {
  const items = fc.nat({ max: 40 }).map((length) => Array.from({ length }, (_, index) => index));
  await fc.assert(
    fc.asyncProperty(items, fc.integer({ min: 0, max: 50 }), async (all, nforks) => {
      let running = 0;
      let most = 0;
      const done: number[] = [];
      await fanOut({
        items: all,
        nforks,
        signal: new AbortController().signal,
        run: async (item) => {
          most = Math.max(most, ++running);
          await Promise.resolve();
          running--;
          done.push(item);
        },
        skip: () => expect.unreachable(),
      });
      expect([...done].sort((a, b) => a - b)).toEqual(all);
      expect(most).toBeLessThanOrEqual(Math.max(1, nforks));
      expect(most).toBe(Math.min(Math.max(1, nforks), all.length));
    }),
    { numRuns: 50 },
  );
});

it("lets a slow one keep its own place only", async () => {
  const gates = new Gates();
  const items = [0, 1, 2, 3, 4];
  const signal = new AbortController().signal;
  const all = fanOut({ items, nforks: 2, signal, run: gates.run, skip: () => undefined });
  for (const fast of [1, 2, 3, 4]) await gates.release(fast);
  expect([...gates.open.keys()]).toEqual([0]);
  await gates.release(0);
  await all;
  expect(gates.most).toBe(2);
});

it("skips at once what waits when it is cancelled", async () => {
  const gates = new Gates();
  const controller = new AbortController();
  const skipped: number[] = [];
  const all = fanOut({
    items: [0, 1, 2, 3],
    nforks: 2,
    signal: controller.signal,
    run: gates.run,
    skip: (item) => skipped.push(item),
  });
  controller.abort();
  expect(skipped).toEqual([2, 3]);
  await gates.release(0);
  await gates.release(1);
  await all;
  expect(skipped).toEqual([2, 3]);
});

describe("with a lane aside", () => {
  let utilization = 0;
  const lane = (most: number) =>
    new AsideLane(most, 1_000, () => ({ idle: 0, active: 0, utilization }));
  afterEach(() => {
    utilization = 0;
    vi.useRealTimers();
  });

  /** Runs items that end only when they are released. */
  function begin(count: number, nforks: number, aside: AsideLane) {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const gates = new Gates();
    const places: Place[] = [];
    const controller = new AbortController();
    let ended = false;
    const all = fanOut({
      items: Array.from({ length: count }, (_, index) => index),
      nforks,
      signal: controller.signal,
      aside,
      run: (item, place) => {
        places[item] = place;
        return gates.run(item);
      },
      skip: () => undefined,
    }).then(() => {
      ended = true;
    });
    const open = (): number[] => [...gates.open.keys()];
    const second = (): Promise<unknown> => vi.advanceTimersByTimeAsync(1_000);
    return { gates, places, controller, all, open, second, ended: () => ended };
  }

  it("lets slow ones go on aside, so that others can have their places", async () => {
    const { gates, open, second, all, ended } = begin(5, 2, lane(2_000));
    expect(open()).toEqual([0, 1]);
    await second();
    expect(open()).toEqual([0, 1, 2, 3]);
    await gates.release(2);
    expect(open()).toEqual([0, 1, 3, 4]);
    for (const item of [0, 1, 3]) await gates.release(item);
    expect(ended()).toBe(false);
    await gates.release(4);
    await all;
  });

  it("has no more of them than there is room for, in all fan-outs together", async () => {
    const shared = lane(3);
    const one = begin(10, 2, shared);
    const other = begin(10, 2, shared);
    await one.second();
    await one.second();
    expect(one.open().length + other.open().length).toBe(2 + 2 + 3);
    for (const run of [one, other]) {
      run.controller.abort();
      for (const item of run.open()) await run.gates.release(item);
      await run.all;
    }
    const next = begin(10, 1, shared);
    for (let round = 0; round < 5; round++) await next.second();
    expect(next.open()).toHaveLength(1 + 3);
  });

  it("calls nobody slow while it has no time itself", async () => {
    utilization = 1;
    const { open, second } = begin(5, 2, lane(2_000));
    await second();
    expect(open()).toEqual([0, 1]);
    utilization = 0.5;
    await second();
    expect(open()).toEqual([0, 1, 2, 3]);
  });

  it("leaves its place to one that needs it to the end, or gives it back one", async () => {
    const { gates, places, open, second } = begin(4, 1, lane(2_000));
    await second();
    expect(places[1]?.keep()).toBeUndefined();
    await second();
    expect(open()).toEqual([0, 1]); // 0 is aside, 1 keeps the place
    let back = false;
    void places[0]?.keep()?.then(() => {
      back = true;
    });
    await second();
    expect(back).toBe(false);
    await gates.release(1);
    expect(back).toBe(true);
    expect(open()).toEqual([0]); // it comes before those that have not begun
    await second();
    expect(open()).toEqual([0]);
    await gates.release(0);
    expect(open()).toEqual([2]);
  });

  it("does not wait for one that ends while it waits for a place", async () => {
    const { gates, places, open, second, all } = begin(3, 1, lane(2_000));
    await second();
    expect(places[1]?.keep()).toBeUndefined();
    expect(places[0]?.keep()).toBeInstanceOf(Promise);
    await gates.release(0); // as it does when it is cancelled
    await gates.release(1);
    expect(open()).toEqual([2]);
    await gates.release(2);
    await all;
  });
});

it("tries those last that could not be reached", () => {
  const minion = (name: string, state: MinionRecord["state"]) => ({ name, state }) as MinionRecord;
  const all = [
    minion("a", "unreachable"),
    minion("b", "unknown"),
    minion("c", "unreachable"),
    minion("d", "online"),
  ];
  expect(missingLast(all).map(({ name }) => name)).toEqual(["b", "d", "a", "c"]);
});
