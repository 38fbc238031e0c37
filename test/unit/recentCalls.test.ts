import { describe, expect, it } from "vitest";
import { RecentCalls, type RecentCall } from "../../extension/recentCalls";

/** VS Code's memento: keeps JSON. */
class Memento {
  json = new Map<string, string>();
  keys = (): readonly string[] => [...this.json.keys()];
  get<T>(key: string, otherwise?: T): T {
    const json = this.json.get(key);
    return (json === undefined ? otherwise : JSON.parse(json)) as T;
  }
  update(key: string, value: unknown): Promise<void> {
    this.json.set(key, JSON.stringify(value));
    return Promise.resolve();
  }
}

function call(jobId: string, given: Partial<RecentCall> = {}): RecentCall {
  return {
    jobId,
    spec: "*",
    module: "test",
    method: "echo",
    args: [jobId],
    createdAtMs: 1,
    ...given,
  };
}

describe("RecentCalls", () => {
  it("keeps calls newest first, over a reload", async () => {
    const memento = new Memento();
    const calls = new RecentCalls(memento);
    await calls.add(call("a", { exclude: "web9", risk: "change" }));
    await calls.add(call("b"));
    const later = new RecentCalls(memento);
    expect(later.list().map(({ jobId }) => jobId)).toEqual(["b", "a"]);
    expect(later.forJob("a")).toEqual(call("a", { exclude: "web9", risk: "change" }));
  });

  it("keeps at most 50, and the same call once", async () => {
    const calls = new RecentCalls(new Memento());
    for (let i = 0; i < 60; i++) await calls.add(call(`job${i}`));
    expect(calls.list()).toHaveLength(50);
    await calls.add(call("again", { args: ["job30"] }));
    expect(calls.list()).toHaveLength(50);
    expect(calls.list()[0]).toMatchObject({ jobId: "again", args: ["job30"] });
    expect(calls.forJob("job30")).toBeUndefined();
  });

  it("never stores arguments that are declared secret, look secret, or are huge", async () => {
    const memento = new Memento();
    const calls = new RecentCalls(memento);
    calls.noteSecret("user", "setpw");
    await calls.add(
      call("declared", { module: "user", method: "setpw", args: ["hunter2hunter2"] }),
    );
    await calls.add(call("looks", { args: ["mysql --password=hunter2hunter2"] }));
    await calls.add(call("key", { args: [{ login: "x", api_key: "hunter2hunter2" }] }));
    await calls.add(call("huge", { args: ["x".repeat(20_000)] }));
    expect([...memento.json.values()].join()).not.toContain("hunter2hunter2");
    // those whose arguments are asked again are one and the same
    expect(calls.list().map(({ jobId, args }) => [jobId, args])).toEqual([
      ["huge", undefined],
      ["declared", undefined],
    ]);
  });

  it("forgets one, forgets all, and tells of each change", async () => {
    const calls = new RecentCalls(new Memento());
    let changes = 0;
    const listening = calls.onDidChange(() => changes++);
    await calls.add(call("a"));
    await calls.add(call("b"));
    await calls.forget("a");
    expect(calls.list().map(({ jobId }) => jobId)).toEqual(["b"]);
    await calls.clear();
    expect(calls.list()).toEqual([]);
    expect(changes).toBe(4);
    listening.dispose();
    await calls.add(call("c"));
    expect(changes).toBe(4);
  });

  it("passes over what another version kept in another form", async () => {
    const memento = new Memento();
    await memento.update("func.recentCalls", [null, 7, { jobId: "x" }, call("good")]);
    expect(new RecentCalls(memento).list().map(({ jobId }) => jobId)).toEqual(["good"]);
    await memento.update("func.recentCalls", "nonsense");
    expect(new RecentCalls(memento).list()).toEqual([]);
  });
});
