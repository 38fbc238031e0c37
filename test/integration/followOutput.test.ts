import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { OverlordConnection } from "../../server/client/connection";
import type { JobOutput, OutputOffsets } from "../../server/protocol/jobs";
import { until } from "../fixtures/overlordBundle";
import { RealFleet } from "../fixtures/realFleet";

let fleet: RealFleet;
let connection: OverlordConnection;
const clients: OverlordConnection[] = [];

beforeAll(async () => {
  fleet = await RealFleet.create();
  await fleet.add("web1", "web2", "web3");
  connection = await fleet.connection();
});

afterAll(async () => {
  for (const client of clients) client.dispose();
  await fleet.close();
});

/** What a client heard of one job; checks that nothing is missing or doubled. */
class Heard {
  readonly text = new Map<string, string>();
  readonly offsets: Record<string, OutputOffsets> = {};
  readonly ended = new Set<string>();
  readonly problems: string[] = [];
  readonly messages: JobOutput[] = [];

  add(output: JobOutput): void {
    this.messages.push(output);
    for (const { minion, stream, offset, text, bytes } of output.pieces) {
      const known = (this.offsets[minion] ??= { stdout: 0, stderr: 0 });
      expect([minion, stream, offset]).toEqual([minion, stream, known[stream]]);
      known[stream] += bytes;
      const key = `${minion} ${stream}`;
      this.text.set(key, (this.text.get(key) ?? "") + text);
    }
    for (const minion of output.ended) this.ended.add(minion);
    for (const { message } of output.problems ?? []) this.problems.push(message);
  }

  of(minion: string, stream = "stdout"): string {
    return this.text.get(`${minion} ${stream}`) ?? "";
  }
}

async function start(command: string, spec = "web1"): Promise<string> {
  const call = { spec, module: "command", method: "run", args: [command], async: true };
  return (await connection.request("calls/start", call)).id;
}

/** Goes on with what was heard before, where that is given. */
async function follow(jobId: string, to = connection, heard = new Heard()): Promise<Heard> {
  to.on("jobs/output", (output) => {
    if (output.jobId === jobId) heard.add(output);
  });
  await to.request("jobs/follow", { jobId, offsets: heard.offsets });
  return heard;
}

async function anotherClient(): Promise<OverlordConnection> {
  const another = await fleet.another();
  clients.push(another);
  return another;
}

function gate(name: string): { wait: string; open: () => Promise<void> } {
  const file = join(fleet.root, name);
  const wait = `while [ ! -e ${file} ]; do sleep 0.05; done`;
  return { wait, open: () => writeFile(file, "") };
}

describe("a followed job", () => {
  it("shows lines as they are written, on one minion", async () => {
    const next = gate("next");
    const id = await start(`echo one; ${next.wait}; echo two; echo bad >&2; sleep 600`);
    const heard = await follow(id);
    await until(() => heard.of("web1") === "one\n");
    await next.open();
    await until(() => heard.of("web1") === "one\ntwo\n" && heard.of("web1", "stderr") === "bad\n");
    expect(heard.ended.size).toBe(0);
    await connection.request("jobs/cancel", { jobId: id });
    await until(() => heard.ended.has("web1"));
    expect(heard.problems).toEqual([]);
  });

  it("is merged over several minions, and whole for who comes late", async () => {
    const id = await start("for i in 1 2 3; do echo grün $i; sleep 0.1; done; echo end >&2", "*");
    const heard = await follow(id);
    await until(() => heard.ended.size === 3);
    const late = await follow(id, await anotherClient());
    await until(() => late.ended.size === 3);
    for (const name of ["web1", "web2", "web3"]) {
      for (const one of [heard, late]) {
        expect(one.of(name)).toBe("grün 1\ngrün 2\ngrün 3\n");
        expect(one.of(name, "stderr")).toBe("end\n");
      }
    }
  });

  it("brings binary and huge outputs, in messages of a bounded size", async () => {
    const id = await start("head -c 3000000 /dev/zero; printf '\\377\\303\\274'; seq 100000 >&2");
    const heard = await follow(id);
    await until(() => heard.ended.size === 1);
    expect(heard.of("web1")).toBe(`${"\0".repeat(3_000_000)}\uFFFDü`);
    expect(heard.of("web1", "stderr")).toBe(
      Array.from({ length: 100_000 }, (_, i) => `${i + 1}\n`).join(""),
    );
    const sizes = heard.messages.map((message) => Buffer.byteLength(JSON.stringify(message)));
    expect(Math.max(...sizes)).toBeLessThan(70_000);
  });

  it("goes on where a client left off, through a restart of funcd and of the client", async () => {
    const [first, second] = [gate("first"), gate("second")];
    const id = await start(`echo 1; ${first.wait}; echo 2; ${second.wait}; echo 3; echo 4 >&2`);
    const client = await anotherClient();
    const heard = await follow(id, client);
    await until(() => heard.of("web1") === "1\n");
    await fleet.stopMinion("web1");
    await first.open();
    await fleet.startMinion("web1");
    await until(() => heard.of("web1") === "1\n2\n");
    client.dispose();
    await second.open();
    await follow(id, await anotherClient(), heard);
    await until(() => heard.ended.has("web1"));
    expect([heard.of("web1"), heard.of("web1", "stderr")]).toEqual(["1\n2\n3\n", "4\n"]);
    expect(heard.problems).toEqual([]);
  });

  it("costs its minion no more for two clients than for one", async () => {
    const next = gate("shared");
    const id = await start(`${next.wait}; for i in $(seq 20); do echo $i; sleep 0.1; done`);
    const [one, two] = [await follow(id), await follow(id, await anotherClient())];
    await next.open();
    await until(() => one.ended.has("web1") && two.ended.has("web1"));
    expect(two.of("web1")).toBe(one.of("web1"));
    expect(one.of("web1").split("\n")).toHaveLength(21);
  });

  it("is told from its result where the minion is away, and of calls that are no jobs", async () => {
    const id = await start("echo kept; echo err >&2");
    await until(async () => {
      return (await connection.request("jobs/status", { jobId: id })).code === 1;
    });
    const args = ["seq 20000; printf '\\377' >&2"];
    const call = { spec: "web1", module: "command", method: "run", args };
    const sync = await connection.request("calls/start", call);
    const whole = await follow(sync.id);
    await until(() => whole.ended.has("web1"));
    expect(whole.of("web1").split("\n")).toHaveLength(20_001);
    expect(whole.of("web1", "stderr")).toBe("\uFFFD");
    await fleet.stopMinion("web1");
    const heard = await follow(id);
    await until(() => heard.ended.has("web1"));
    expect([heard.of("web1"), heard.of("web1", "stderr")]).toEqual(["kept\n", "err\n"]);
    await fleet.startMinion("web1");
  });

  it("tells its progress as it goes", async () => {
    const next = gate("progress");
    const report = (done: number): string => `echo Progress report ${done}/3 completed`;
    const id = await start(`${report(1)}; ${next.wait}; ${report(2)}; sleep 600`);
    const progress = async (): Promise<number | undefined> => {
      const { results } = await connection.request("jobs/watch", { jobId: id });
      return results[0]?.progress?.done;
    };
    await until(async () => (await progress()) === 1);
    await next.open();
    await until(async () => (await progress()) === 2);
    await connection.request("jobs/cancel", { jobId: id });
  });

  it("loses and doubles nothing over a restart of the overlord", async () => {
    const [first, second] = [gate("before"), gate("after")];
    const id = await start(`echo 1; ${first.wait}; echo 2; ${second.wait}; echo 3`, "*");
    const heard = await follow(id);
    const all = (text: string): boolean =>
      ["web1", "web2", "web3"].every((name) => heard.of(name) === text);
    await until(() => all("1\n"));
    await fleet.stopOverlord();
    await first.open();
    connection = await fleet.connection();
    await follow(id, connection, heard);
    await until(() => all("1\n2\n"));
    await second.open();
    await until(() => heard.ended.size === 3);
    expect(all("1\n2\n3\n")).toBe(true);
    expect(heard.problems).toEqual([]);
    // and from the store alone
    await fleet.stopOverlord();
    connection = await fleet.connection();
    const again = await follow(id);
    await until(() => again.ended.size === 3);
    expect(again.of("web2")).toBe("1\n2\n3\n");
  });
});
