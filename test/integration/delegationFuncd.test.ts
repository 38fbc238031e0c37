import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { idOfStart } from "../../server/delegation/idOfStart";
import type { XmlRpcValue } from "../../server/wire/value";
import { OverlordAbove } from "../fixtures/overlordAbove";
import { startTreeFleet, type TreeFleet } from "../fixtures/treeFleet";

const LIMIT_MS = 180_000;

let fleet: TreeFleet;
let top: OverlordAbove;
let other: OverlordAbove;

beforeAll(async () => {
  fleet = await startTreeFleet({ tiers: [1, 2] });
  top = await OverlordAbove.of(fleet.dataOf(), "top", fleet.record("mid1"));
  other = await OverlordAbove.of(fleet.dataOf(), "other", fleet.record("mid1"));
}, LIMIT_MS);

afterAll(async () => {
  top.close();
  other.close();
  await fleet.close();
}, LIMIT_MS);

async function started(...call: Parameters<OverlordAbove["start"]>): Promise<string> {
  const id = await top.start(...call);
  if (typeof id !== "string") throw new Error(JSON.stringify(id));
  return id;
}

describe("a signed call", { timeout: LIMIT_MS }, () => {
  const ping = { job: "ping", method: "test.ping", paths: [["leaf1"], ["leaf2"], ["leaf9"]] };

  it("is run for each host, and each has its own result", async () => {
    const id = await started(ping);
    expect(id).toMatch(/^delegated-test\.ping-[0-9a-f]{32}$/);
    const results = await top.results(id);
    expect([...results.keys()].sort()).toEqual(["ping/leaf1", "ping/leaf2", "ping/leaf9"]);
    for (const leaf of ["leaf1", "leaf2"]) {
      expect(results.get(`ping/${leaf}`)).toMatchObject({
        minion: leaf,
        state: "succeeded",
        value: 1,
        receipt: { callId: `ping/${leaf}` },
      });
    }
    expect(results.get("ping/leaf9")).toMatchObject({ minion: "leaf9", state: "unreachable" });
  });

  it("comes to the same job when it comes again, also after all have restarted", async () => {
    const id = await started(ping);
    expect(await started(ping)).toBe(id);
    await fleet.killHost("mid1");
    await fleet.startMinions("mid1");
    expect(await started(ping)).toBe(id);
    expect([...(await top.results(id)).values()].map(({ state }) => state).sort()).toEqual([
      "succeeded",
      "succeeded",
      "unreachable",
    ]);
  });

  it("is nobody's business but of who asked for it", async () => {
    const id = await started(ping);
    expect(await other.start(ping)).not.toBe(id);
    for (const [method, ...rest] of [
      ["delegation.collect", "", 0],
      ["delegation.cancel"],
      ["delegation.skip_rest"],
      ["delegation.read_output", "ping/leaf1", "stdout", 0, 10],
      ["delegation.read_value", "0".repeat(64), 0, 10],
    ] as const) {
      const answer = await other.call(method, [id, ...rest]);
      expect(answer).toMatchObject(["REMOTE_ERROR", "func.not-found", expect.any(String), ""]);
    }
  });

  it("tells what runs, what it writes, and goes on over a restart of its overlord", async () => {
    const paths = [["leaf1"], ["leaf2"]];
    const script = "echo begun; while [ ! -e go ]; do sleep 0.2; done; echo done";
    const folder = await readyFolder();
    const args = [`cd ${folder}; ${script}`];
    const id = await started({ job: "slow", method: "command.run", args, async: true, paths });
    let cursor = "";
    const running = new Set<string>();
    while (running.size < 2) {
      const progress = await top.collect(id, cursor);
      expect(progress.finished).toBe(false);
      cursor = progress.cursor;
      for (const { minion, state, minionJobId } of progress.results) {
        if (state === "running" && minionJobId !== undefined) running.add(minion);
      }
    }
    const read = ["slow/leaf1", "stdout", 0, 100, 20];
    const part = await top.call("delegation.read_output", [id, ...read]);
    expect(part).toEqual([new Uint8Array(Buffer.from("begun\n")), 6, false]);
    await fleet.killOverlord("mid1");
    const again = await top.collect(id, cursor);
    expect(again.cursor.split(":")[0]).not.toBe(cursor.split(":")[0]);
    expect(again.finished).toBe(false);
    await writeFile(join(folder, "go"), "");
    const results = await top.results(id);
    expect([...results.values()].map(({ value }) => value)).toEqual([
      [0, "begun\ndone\n", ""],
      [0, "begun\ndone\n", ""],
    ]);
  });

  it("is cancelled where it runs", async () => {
    const call = { method: "command.run", args: ["sleep 600"], async: true, paths: [["leaf1"]] };
    const id = await started({ job: "long", ...call });
    let state = "";
    for (let cursor = ""; state !== "running";) {
      const progress = await top.collect(id, cursor);
      cursor = progress.cursor;
      state = progress.results.at(-1)?.state ?? state;
    }
    expect(await top.call("delegation.cancel", [id])).toBe(true);
    const results = await top.results(id);
    expect(results.get("long/leaf1")?.state).toBe("cancelled");
    expect(await top.call("delegation.cancel", [id])).toBe(false);
  });

  it("is cancelled by the id of its start, also before that comes", async () => {
    const paths = [["leaf1"]];
    const call = { job: "early", method: "command.run", args: ["sleep 600"], async: true, paths };
    const id = idOfStart({ method: "command.run", callId: "early/leaf1" });
    expect(await top.call("delegation.cancel", [id])).toBe(false);
    const said = expect.stringContaining("top has cancelled this call before it began") as string;
    expect(await top.start(call)).toEqual(["REMOTE_ERROR", "func.conflict", said, ""]);
    // it is another's who asks for it
    await started({ ...call, job: "late" });
    const late = idOfStart({ method: "command.run", callId: "late/leaf1" });
    expect(await other.call("delegation.cancel", [late])).toBe(false);
    expect(await top.call("delegation.cancel", [late])).toBe(true);
    const results = await top.results(late);
    expect(results.get("late/leaf1")?.state).toBe("cancelled");
  });

  it("leaves out the rest when it is told to", async () => {
    const folder = await readyFolder();
    const args = [`cd ${folder}; while [ ! -e last ]; do sleep 0.1; done`];
    const paths = [["leaf1"], ["leaf2"]];
    const id = await started({ job: "rest", method: "command.run", args, paths, nforks: 1 });
    for (let cursor = "", state = ""; state !== "running";) {
      const progress = await top.collect(id, cursor);
      cursor = progress.cursor;
      state = progress.results.at(-1)?.state ?? state;
    }
    expect(await top.call("delegation.skip_rest", [id])).toBe(true);
    await writeFile(join(folder, "last"), "");
    const states = [...(await top.results(id)).values()].map(({ state }) => state);
    expect(states.sort()).toEqual(["skipped", "succeeded"]);
    expect(await top.call("delegation.skip_rest", [id])).toBe(false);
  });

  it("gives large results in parts", async () => {
    const args = ["head -c 300000 /dev/zero | tr '\\0' x"];
    const id = await started({ job: "large", method: "command.run", args, paths: [["leaf2"]] });
    const { outputs = [] } = (await top.results(id)).get("large/leaf2") ?? {};
    expect(outputs).toMatchObject([{ bytes: 300_000, kind: "text" }]);
    const [{ sha256 } = { sha256: "" }] = outputs;
    const part = await top.call("delegation.read_value", [id, sha256, 299_990, 1_000]);
    expect(part).toEqual([new Uint8Array(Buffer.from("x".repeat(10))), 300_000]);
    const none = await top.call("delegation.read_value", [id, "0".repeat(64), 0, 10]);
    expect(errorType(none)).toBe("func.not-found");
  });

  it("is refused where it was changed on its way", async () => {
    const request = top.request({ ...ping, job: "forged" });
    request.call.text = request.call.text.replace("test.ping", "test.sleep");
    const answer = await top.call("delegation.start", [JSON.stringify(request)]);
    expect(errorType(answer)).toBe("func.denied");
    const empty = await top.call("delegation.start", ["{}"]);
    expect(errorType(empty)).toBe("exceptions.ValueError");
  });
});

describe("what the overlord of the host would not read", { timeout: LIMIT_MS }, () => {
  it("is refused, and holds up nobody else", async () => {
    const paths = [["leaf1"]];
    const id = await started({ job: "beside", method: "command.run", args: ["sleep 20"], paths });
    const { cursor } = await top.collect(id, "", 1);
    const beside = top.collect(id, cursor, 10);
    const deep = "[".repeat(20_000) + "]".repeat(20_000);
    const tooDeep = await top.call("delegation.ask", ["[]", "minions/list", deep]);
    expect(JSON.stringify(tooDeep)).toContain("nests too deep");
    const request = top.request({ job: "large", method: "test.ping", paths });
    const large = JSON.stringify({ ...request, spec: "\0".repeat(12_000_000) });
    const tooLarge = await top.call("delegation.start", [large]);
    expect(JSON.stringify(tooLarge)).toContain("Call fewer hosts at once");
    expect(await beside).toMatchObject({ finished: false });
    await top.call("delegation.cancel", [id]);
  });
});

describe("overlords of the original", { timeout: LIMIT_MS }, () => {
  const paths = [["leaf1"], ["leaf2"]];

  it("get the results of exactly those they name", async () => {
    const [older, newer, one, echo, failing] = await top.python([
      ["delegation.run", ["test", "ping", [], paths, false, 1]],
      ["delegation.run", ["test", "ping", [], paths, true, 10, 30]],
      ["delegation.run", ["test", "add", [2, 3], [["leaf2"]], false, 1]],
      ["delegation.run", ["test", "echo", [{ a: [1, "x"] }], [["leaf1"]], true, 1]],
      ["delegation.run", ["test", "nosuch", [], [["leaf1"], ["leaf9"]], false, 1]],
    ]);
    expect(older).toEqual({ ok: { leaf1: 1, leaf2: 1 } });
    expect(newer).toEqual({ ok: { leaf1: 1, leaf2: 1 } });
    expect(one).toEqual({ ok: { leaf2: 5 } });
    expect(echo).toEqual({ ok: { leaf1: { a: [1, "x"] } } });
    expect(failing).toMatchObject({
      ok: {
        leaf1: ["REMOTE_ERROR", "func.minion.codes.InvalidMethodException", expect.any(String), ""],
        leaf9: ["REMOTE_ERROR", "socket.error", expect.stringContaining("leaf9"), ""],
      },
    });
  });

  it("get large results whole", async () => {
    const args = ["head -c 200000 /dev/zero | tr '\\0' y; exit 3"];
    const [large] = await top.python([
      ["delegation.run", ["command", "run", args, [["leaf1"]], false, 1]],
    ]);
    expect(large).toEqual({ ok: { leaf1: [3, "y".repeat(200_000), ""] } });
  });

  it("call by a job of the host as well", async () => {
    const [id] = await top.python([["async.delegation.run", ["test", "ping", [], paths, true, 1]]]);
    const { ok } = id as { ok: string };
    await expect
      .poll(async () => (await top.python([["jobs.job_status", [ok]]]))[0], { timeout: 60_000 })
      .toEqual({ ok: [1, { leaf1: 1, leaf2: 1 }] });
  });

  it("get a map of what is behind", async () => {
    const answers = await top.python([
      ["overlord.map_minions", []],
      ["overlord.map_minions", [true]],
    ]);
    expect(answers).toEqual([{ ok: { leaf1: {}, leaf2: {} } }, { ok: { leaf1: {}, leaf2: {} } }]);
  });

  it("are told what is wrong with the call", async () => {
    const answers = await top.python([
      ["delegation.run", ["test", "ping", [], "leaf1", false, 1]],
      ["delegation.run", ["test", "ping", [], [["leaf1", 5]], false, 1]],
      ["delegation.run", ["test", "ping", [], [["leaf1"], ["leaf1"]], false, 1]],
      ["delegation.run", ["test", "ping", [], [], false, 1]],
    ]);
    const wrong = { ok: ["REMOTE_ERROR", "exceptions.TypeError", expect.any(String), ""] };
    expect(answers).toEqual([wrong, wrong, { ok: { leaf1: 1 } }, { ok: {} }]);
  });
});

describe("who may have what called", { timeout: LIMIT_MS }, () => {
  it("is what the host's own rules say of the call inside", async () => {
    const home = fleet.homeOf("mid1");
    const rule = `allow: [{roles: [overlord], methods: ["delegation.*", "test.*"]}]\n`;
    await mkdir(join(home, "acls"), { recursive: true });
    await writeFile(join(home, "acls", "above.acl.yaml"), rule);
    const file = join(home, "minion.yaml");
    const before = await readFile(file, "utf8");
    const yaml = parse(before) as object;
    await writeFile(file, stringify({ ...yaml, access: { overlord: "none" } }));
    const run = (module: string, method: string, args: string[]) =>
      top.call("delegation.run", [module, method, args, [["leaf1"]], false, 1]);
    await expect
      .poll(() => run("command", "run", ["true"]).catch(String), { timeout: 30_000 })
      .toMatch(/no access rule allows overlord top to call command\.run/);
    expect(await run("test", "ping", [])).toEqual({ leaf1: 1 });
    const denied = { job: "denied", method: "command.run", args: ["true"], paths: [["leaf1"]] };
    await expect(top.start(denied)).rejects.toThrow(/to call command\.run/);
    expect(await top.start({ ...denied, method: "test.ping", args: [] })).toMatch(/^delegated-/);
  });
});

describe("a host without an overlord of its own", { timeout: LIMIT_MS }, () => {
  it("says so", async () => {
    await fleet.killOverlord("mid1");
    const mid = await OverlordAbove.of(fleet.dataOf("mid1"), "mid1", fleet.record("leaf1"));
    try {
      for (const call of [
        mid.call("delegation.run", ["test", "ping", [], [["web1"]], false, 1]),
        mid.call("overlord.map_minions", []),
        mid.start({ job: "none", method: "test.ping", paths: [["web1"]] }),
      ]) {
        expect(await call).toMatchObject([
          "REMOTE_ERROR",
          "func.no-overlord",
          expect.stringContaining("has no overlord of its own"),
          "",
        ]);
      }
    } finally {
      mid.close();
    }
  });
});

/** Of what a method has raised. */
function errorType(answer: XmlRpcValue): XmlRpcValue | undefined {
  return Array.isArray(answer) && answer[0] === "REMOTE_ERROR" ? answer[1] : undefined;
}

/** On this machine, which is also that of the minions. */
async function readyFolder(): Promise<string> {
  const folder = join(fleet.root, "shared");
  await mkdir(folder, { recursive: true });
  return folder;
}
