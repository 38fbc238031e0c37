import { describe, expect, it } from "vitest";
import { ChangeLog } from "../../server/delegation/changeLog";

function namesSince(log: ChangeLog, cursor: string): string[] {
  return [...log.since(log.placeOf(cursor))].map(({ name }) => name);
}

describe("the change log", () => {
  it("tells each name once, where it changed last", () => {
    const log = new ChangeLog();
    for (const name of ["a", "b", "a", "c", "b"]) log.changed(name);
    expect(namesSince(log, "")).toEqual(["a", "c", "b"]);
    expect(namesSince(log, log.cursorAt(3))).toEqual(["c", "b"]);
    expect(namesSince(log, log.cursorAt(5))).toEqual([]);
    expect(log.hasNews(4)).toBe(true);
    expect(log.hasNews(5)).toBe(false);
  });

  it("stays as small as what it is about, and goes on where a reader was", () => {
    const log = new ChangeLog();
    log.changed("first");
    const cursor = log.cursorAt(1);
    for (let at = 0; at < 10_000; at++) log.changed(`web${at % 7}`);
    log.changed("last");
    const names = namesSince(log, cursor);
    expect(names).toHaveLength(8);
    expect(names.at(-1)).toBe("last");
    expect(namesSince(log, "")).toHaveLength(9);
  });

  it("begins anew for cursors of other logs, or of none", () => {
    const log = new ChangeLog();
    const another = new ChangeLog();
    for (const one of [log, another]) one.changed("a");
    expect(log.cursorAt(1)).not.toBe(another.cursorAt(1));
    const wrong = ["", "x", another.cursorAt(1), log.cursorAt(99), `${log.cursorAt(1)} `, "kept:1"];
    for (const cursor of wrong) expect(log.placeOf(cursor)).toBe(0);
  });

  it("lets readers wait for news, the end of their time, or of their interest", async () => {
    const log = new ChangeLog();
    const never = new AbortController();
    await log.wait(0, never.signal);
    await log.wait(10, never.signal);
    const waiting = log.wait(600_000, never.signal);
    log.wake();
    await waiting;
    const leaving = log.wait(600_000, never.signal);
    never.abort();
    await leaving;
    await log.wait(600_000, never.signal);
  });
});
