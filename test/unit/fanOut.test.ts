import fc from "fast-check";
import { expect, it } from "vitest";
import { fanOut } from "../../server/calls/fanOut";

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
