import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { BudgetShare } from "../../server/wire/decodeBudget";
import { DecodeBudget } from "../../server/wire/decodeBudget";

const KIB = 1024;

/** The numbers of the shares that go on, in order. */
function watch(shares: readonly BudgetShare[]): number[] {
  const going: number[] = [];
  for (const [index, share] of shares.entries()) {
    void share.room()?.then(() => going.push(index));
  }
  return going;
}

describe("the budget of answers that come in", () => {
  it("lets nobody wait below its limit, and the oldest never", () => {
    const budget = new DecodeBudget(100 * KIB);
    const [first, second] = [budget.open(), budget.open()];
    first.set(60 * KIB);
    second.set(40 * KIB);
    expect([first.room(), second.room()]).toEqual([undefined, undefined]);
    first.set(900 * KIB);
    expect(first.room()).toBeUndefined();
    expect(second.room()).toBeInstanceOf(Promise);
    expect(second.room()).toBe(second.room());
  });

  it("does not let the oldest hold up others for ever", async () => {
    const budget = new DecodeBudget(100 * KIB, 0);
    const [first, second] = [budget.open(), budget.open()];
    first.set(200 * KIB);
    expect(first.room()).toBeUndefined(); // nobody waits
    const going = watch([second]);
    expect(() => first.room()).toThrow(expect.objectContaining({ reason: "too-large" }));
    first.close();
    await nextTurn();
    expect(going).toEqual([0]);
  });

  it("lets others go on, oldest first, as there is room again", async () => {
    const budget = new DecodeBudget(180 * KIB);
    const shares = [0, 1, 2, 3, 4].map(() => budget.open());
    for (const share of shares) share.set(50 * KIB);
    const going = watch(shares);
    await nextTurn();
    expect(going).toEqual([]);
    shares[0]?.close(); // now the second is the oldest; for others there is no room yet
    await nextTurn();
    expect(going).toEqual([1]);
    shares[1]?.close();
    shares[1]?.close();
    await nextTurn();
    expect(going).toEqual([1, 2, 3]); // one takes the room
    shares[2]?.set(0);
    await nextTurn();
    expect(going).toEqual([1, 2, 3, 4]);
    for (const share of shares) share.close();
    expect(budget.usedBytes).toBe(0);
    shares[0]?.set(5); // too late to count
    expect(budget.usedBytes).toBe(0);
  });

  it("ends with all of them, whatever they need, since the oldest goes on", async () => {
    const budget = new DecodeBudget(10 * KIB);
    const ended: number[] = [];
    const run = async (index: number): Promise<void> => {
      const share = budget.open();
      for (let bytes = KIB; bytes <= 20 * KIB; bytes += KIB) {
        share.set(bytes);
        await (share.room() ?? nextTurn());
      }
      share.close();
      ended.push(index);
    };
    await Promise.all(Array.from({ length: 50 }, (_, index) => run(index)));
    expect(ended).toHaveLength(50);
    expect(ended[0]).toBe(0);
  });
});
