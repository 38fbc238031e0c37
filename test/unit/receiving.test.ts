import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BodyBudget } from "../../server/wire/bodyBudget";
import { BodyPace, DEFAULT_DEADLINES } from "../../server/wire/bodyPace";
import { ConnectionTable } from "../../server/wire/connectionTable";
import { RefusalMeter } from "../../server/wire/refusalMeter";

const MEGABYTE = 1024 * 1024;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("the memory for bodies that are being received", () => {
  const never = new AbortController().signal;

  it("is given in the order of asking, whole or not at all", async () => {
    const budget = new BodyBudget(10 * MEGABYTE);
    const order: string[] = [];
    const ask = async (name: string, bytes: number): Promise<() => void> => {
      const release = await budget.acquire(bytes, 1_000, never);
      order.push(name);
      return release;
    };
    const release = await ask("first", 8 * MEGABYTE);
    const large = ask("large", 9 * MEGABYTE);
    const behind = ask("behind", MEGABYTE);
    await ask("small", 64 * 1024);
    expect(order).toEqual(["first", "small"]);
    release();
    release(); // once more changes nothing
    (await large)();
    await behind;
    expect(order).toEqual(["first", "small", "large", "behind"]);
  });

  it("is not waited for without an end, nor by a client that is gone", async () => {
    const budget = new BodyBudget(MEGABYTE);
    const release = await budget.acquire(MEGABYTE, 1_000, never);
    const late = expect(budget.acquire(MEGABYTE, 1_000, never)).rejects.toMatchObject({
      status: 503,
    });
    const leaving = new AbortController();
    const gone = expect(budget.acquire(MEGABYTE, 5_000, leaving.signal)).rejects.toThrow();
    leaving.abort();
    await gone;
    await vi.advanceTimersByTimeAsync(1_000);
    await late;
    release();
    await budget.acquire(5 * MEGABYTE, 1_000, never); // more than there is: all of it
  });
});

describe("the time for a body", () => {
  function lateAfter(declared: number | undefined, bytesEachSecond: number): number {
    let lateMs = Infinity;
    let nowMs = 0;
    const pace = new BodyPace(declared, DEFAULT_DEADLINES, () => (lateMs = nowMs));
    for (; nowMs <= 400_000 && lateMs === Infinity; nowMs += 1_000) {
      pace.received(bytesEachSecond);
      vi.advanceTimersByTime(1_000);
    }
    pace.stop();
    return lateMs / 1_000;
  }

  it("is half a minute for a small one, five for a large one that comes on", () => {
    expect(lateAfter(1_000, 1)).toBe(29);
    expect(lateAfter(undefined, 1_000_000)).toBe(29);
    expect(lateAfter(100 * MEGABYTE, 2_000)).toBe(299);
    expect(lateAfter(100 * MEGABYTE, 1_000)).toBe(59);
  });
});

describe("the connections of a server", () => {
  function socketOf(remoteAddress: string): Socket {
    const socket = Object.assign(new EventEmitter(), {
      remoteAddress,
      destroyed: false,
      destroy: () => {
        socket.destroyed = true;
        socket.emit("close");
      },
    });
    return socket as unknown as Socket;
  }

  it("make room among those of the address that has most, the longest idle first", () => {
    const table = new ConnectionTable({ maxUnproven: 3, maxProven: 3 });
    const quiet = socketOf("10.0.0.1");
    const flood = [1, 2, 3, 4].map(() => socketOf("10.0.0.2"));
    table.add(quiet);
    for (const socket of flood) table.add(socket);
    expect(flood.map(({ destroyed }) => destroyed)).toEqual([true, true, false, false]);
    expect(quiet.destroyed).toBe(false);
  });

  it("keep the proven apart, and those with a call before those without", () => {
    const table = new ConnectionTable({ maxUnproven: 2, maxProven: 2 });
    const [calling, receiving, idle, extra] = [1, 2, 3, 4].map(() => socketOf("10.0.0.1"));
    if (!calling || !receiving || !idle || !extra) throw new Error("sockets");
    for (const socket of [calling, receiving]) {
      table.add(socket);
      table.prove(socket);
    }
    table.set(calling, "busy");
    table.set(receiving, "receiving");
    table.add(idle);
    table.add(extra);
    expect([calling, receiving, idle, extra].some(({ destroyed }) => destroyed)).toBe(false);
    table.prove(idle);
    expect(receiving.destroyed).toBe(true);
    table.set(idle, "busy");
    table.prove(extra); // all others have calls
    expect([calling.destroyed, idle.destroyed, extra.destroyed]).toEqual([false, false, true]);
  });
});

describe("refusals", () => {
  it("are told one by one up to a number, then by their number", () => {
    const told: string[] = [];
    const meter = new RefusalMeter<[string]>(
      (reason) => told.push(reason),
      (count) => told.push(`${count} more`),
      1_000,
    );
    for (let index = 0; index < 1_000; index++) {
      const reason = `client ${index} shows no certificate`;
      meter.add(reason, reason);
    }
    expect(told).toHaveLength(5);
    // of another kind: it is not lost among the others
    meter.add("revoked", "revoked");
    expect(told.at(-1)).toBe("revoked");
    for (let index = 0; index < 10_000; index++) {
      meter.add(`${"x".repeat(index % 200)} chosen`, "chosen");
    }
    expect(told.length).toBeLessThan(250);
    const before = told.length;
    vi.advanceTimersByTime(1_000);
    expect(told.slice(before)).toEqual([`${11_001 - before} more`]);
    meter.add("again", "again");
    expect(told.at(-1)).toBe("again");
  });
});
