import net from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RpcRequest } from "../../server/wire/rpcServer";
import type { XmlRpcValue } from "../../server/wire/value";
import type { WirePeer } from "../../server/wire/wireClient";
import { BadPeers } from "../fixtures/badPeers";
import { KnownFleet } from "../fixtures/knownFleet";
import { until } from "../fixtures/overlordBundle";
import { TestAuthority } from "../fixtures/testCertificates";
import { hang } from "../fixtures/testFleet";
import { WireHarness } from "../fixtures/wireHarness";

const harness = new WireHarness();
let fleet: KnownFleet;

beforeEach(async () => {
  fleet = await KnownFleet.create();
});
afterEach(async () => {
  await fleet.close();
  await harness.close();
});

const well = (): Promise<XmlRpcValue> => Promise.resolve("well");

async function add(name: string, make: (bad: BadPeers) => Promise<WirePeer>): Promise<void> {
  const issued = await fleet.issue(name);
  fleet.know(issued, await make(new BadPeers(harness, issued)));
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
}

describe("among minions that are well,", () => {
  it("each bad one ends with its own state and words, and none keeps the others", async () => {
    const other = new TestAuthority("other");
    const stranger = other.issue({ uri: "func:minion:bad-stranger", usage: "serverAuth" });
    const double = await fleet.issue("good1");
    await add("bad-dead", (bad) => bad.blackHole());
    await add("bad-frozen", (bad) => bad.silent());
    await add("bad-refusing", (bad) => bad.refusing());
    await add("bad-stranger", (bad) => bad.showing(stranger));
    await add("bad-double", (bad) => bad.showing(double));
    await add("bad-mute", (bad) => bad.mute());
    await add("bad-slow", (bad) => bad.trickling(100));
    await add("bad-closing", (bad) => bad.answeringWith(undefined));
    const good = names("good", 5);
    for (const name of good) await fleet.serve(name, well);
    await fleet.open("connect_timeout: 2\ntimeout: 3\n");

    const job = await fleet.start();
    await fleet.until(job, good);
    const waits = ["bad-dead", "bad-frozen", "bad-mute", "bad-slow"];
    expect(fleet.ended(job)).not.toEqual(expect.arrayContaining(waits));
    await fleet.until(job);

    const ends: [name: string, state: string, message: RegExp][] = [
      ["bad-dead", "unreachable", /could not be reached: nothing answered .* within 2 s/],
      ["bad-frozen", "timed-out", /did not finish the TLS handshake within 2 s.*Nothing was run/],
      ["bad-refusing", "unreachable", /refused the connection: nothing listens/],
      ["bad-stranger", "unreachable", /its certificate comes from another CA/],
      ["bad-double", "unreachable", /is good1, another minion/],
      ["bad-mute", "timed-out", /did not answer within 3 s; the call may have run/],
      ["bad-slow", "timed-out", /answers too slowly: .* in 3(\.\d+)? s\. The call has run/],
      ["bad-closing", "failed", /closed the connection without an answer.*may have run/],
    ];
    for (const [name, state, message] of ends) {
      const result = fleet.result(job, name);
      expect([name, result?.state]).toEqual([name, state]);
      expect(result?.error?.message).toContain(name);
      expect(result?.error?.nextStep).toBeTruthy();
      expect(result?.error?.message).toMatch(message);
    }
  });

  it("a rack that is down keeps nobody waiting", async () => {
    let hole: WirePeer | undefined;
    for (const name of names("dead", 200)) {
      await add(name, async (bad) => (hole ??= await bad.blackHole()));
    }
    const good = names("good", 50);
    for (const name of good) await fleet.serve(name, well);
    await fleet.open("connect_timeout: 600\n");

    const job = await fleet.start({ timeoutMs: 600_000 });
    await fleet.until(job, good);
    expect(fleet.ended(job).sort()).toEqual([...good].sort());
    await fleet.connection.request("jobs/cancel", { jobId: job });
    await fleet.until(job);
    expect(fleet.result(job, "dead1")).toMatchObject({ state: "cancelled" });
  });

  it("one that runs keeps its place where nforks was asked for, one that connects does not", async () => {
    await add("a-dead", (bad) => bad.blackHole());
    await fleet.serve("b-busy", hang);
    await fleet.serve("c-good", well);
    await fleet.open("connect_timeout: 5\n");

    const job = await fleet.start({ nforks: 1 });
    await until(() => fleet.state(job, "b-busy") === "running");
    expect(fleet.state(job, "a-dead")).toBe("sent");
    await fleet.until(job, ["a-dead"]); // b-busy has run for seconds
    expect(fleet.state(job, "c-good")).toBe("queued");
    await fleet.connection.request("jobs/cancel", { jobId: job });
    await fleet.until(job);
  });
});

describe("a cancel", () => {
  const forEver = "connect_timeout: 600\ndelivery_timeout: 600\ntimeout: 600\n";

  it("ends the wait in every step, and tells the minion where something runs", async () => {
    const told: XmlRpcValue[] = [];
    const running: (string | undefined)[] = [];
    let receiving = false;
    const busy = async (request: RpcRequest): Promise<XmlRpcValue> => {
      if (request.method === "jobs.cancel") {
        told.push(request.params[0] ?? null);
        return true;
      }
      running.push(request.callId);
      return hang(request);
    };
    await add("a-connecting", (bad) => bad.blackHole());
    await add("b-handshake", (bad) => bad.silent());
    await add("c-sending", (bad) => bad.deaf());
    await fleet.serve("d-waiting", busy);
    await add("e-receiving", (bad) =>
      bad.trickling(1_000, () => {
        receiving = true;
      }),
    );
    for (const name of names("f-queued", 5)) await fleet.serve(name, well);
    await fleet.open(forEver);

    const job = await fleet.start({ nforks: 3, args: ["x".repeat(8_000_000)] });
    await until(() => running.length > 0 && receiving);
    expect(fleet.state(job, "f-queued5")).toBe("queued");
    await fleet.connection.request("jobs/cancel", { jobId: job });
    await fleet.until(job);
    for (const name of fleet.ended(job)) {
      expect([name, fleet.state(job, name)]).toEqual([name, "cancelled"]);
    }
    expect(fleet.ended(job)).toHaveLength(10);
    expect(fleet.result(job, "d-waiting")?.error?.message).toMatch(/is told to stop/);
    await until(() => told.length > 0);
    expect(told).toEqual(running);
  });

  it("reaches the minion also where the held connection is dead", async () => {
    const told: XmlRpcValue[] = [];
    let calls = 0;
    let asked = 0;
    const answerFirst: ((value: XmlRpcValue) => void)[] = [];
    const port = await fleet.serve("web1", async (request) => {
      if (request.method === "jobs.cancel") {
        told.push(request.params[0] ?? null);
        return true;
      }
      if (request.method === "trust.status") return ++asked;
      if (++calls === 1) return "known";
      if (calls === 2) return new Promise((resolve) => answerFirst.push(resolve));
      return hang(request);
    });
    const line = await cuttableLine(port);
    fleet.move("web1", line.port);
    await fleet.open(forEver);
    await fleet.until(await fleet.start());
    await until(() => asked === 1); // in the background, after the first answer

    const held = await fleet.start();
    await until(() => calls === 2);
    const hanging = await fleet.start();
    await until(() => calls === 3);
    answerFirst[0]?.("well");
    await fleet.until(held); // its connection is held from now on
    line.cut();
    await fleet.connection.request("jobs/cancel", { jobId: hanging });
    await fleet.until(hanging);
    expect(told).toEqual([]);
    await until(() => told.length > 0);
  });
});

/** A way to a port; once cut, what goes over the connections of before is lost without a word. */
async function cuttableLine(to: number): Promise<{ port: number; cut: () => void }> {
  const present = new Set<() => void>();
  const { port } = await harness.rawTcp((inner) => {
    const outer = net.connect(to, "127.0.0.1").on("error", () => inner.destroy());
    inner.pipe(outer).pipe(inner);
    inner.once("close", () => outer.destroy());
    present.add(() => {
      inner.unpipe(outer).resume();
      outer.unpipe(inner).resume();
    });
  });
  const cut = (): void => {
    for (const stop of present) stop();
  };
  return { port, cut };
}
