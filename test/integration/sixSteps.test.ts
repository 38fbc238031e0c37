import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  JOB_ID_FINISHED,
  JOB_ID_LOST_IN_SPACE,
  JOB_ID_PARTIAL,
  JOB_ID_RUNNING,
  type JobCode,
} from "../../server/protocol/jobs";
import { MinionAsker } from "../fixtures/minionAsker";
import { OriginalFuncd } from "../fixtures/originalFuncd";
import { OriginalOverlord } from "../fixtures/originalOverlord";
import { until } from "../fixtures/overlordBundle";
import { RealFleet } from "../fixtures/realFleet";
import { TcpShim } from "../fixtures/tcpShim";

/** Codes of the overlord and of both minions; null for a minion that has not begun. */
type Step = [overlord: JobCode, first: number | null, second: number | null];

const STEPS: Step[] = [
  [JOB_ID_RUNNING, null, null],
  [JOB_ID_RUNNING, JOB_ID_RUNNING, null],
  [JOB_ID_PARTIAL, JOB_ID_RUNNING, JOB_ID_RUNNING],
  [JOB_ID_PARTIAL, JOB_ID_FINISHED, JOB_ID_RUNNING],
  [JOB_ID_PARTIAL, JOB_ID_FINISHED, JOB_ID_FINISHED],
  [JOB_ID_FINISHED, JOB_ID_FINISHED, JOB_ID_FINISHED],
];

/** A minion, and what stands between it and the overlord. */
interface Watched {
  name: string;
  shim: TcpShim;
  /** Ids of the jobs that it has. */
  jobs: () => Promise<string[]>;
  /** Its own port. */
  port: number;
}

let fleet: RealFleet;
let asker: MinionAsker;
let originals: OriginalFuncd[];
let ours: Watched[];
let theirs: Watched[];
let folder: string;

beforeAll(async () => {
  fleet = await RealFleet.create();
  await fleet.add("node1", "node2");
  await fleet.call("test", "ping"); // the overlord's certificate is made with its first call
  asker = await MinionAsker.of(fleet.data);
  const connection = await fleet.connection();
  originals = [
    await OriginalFuncd.start(connection, "old1"),
    await OriginalFuncd.start(connection, "old2"),
  ];
  const jobsOf = (name: string) => () => jobsIn(join(fleet.home(name), "jobs"));
  const jobsOfOriginal = async (funcd: OriginalFuncd): Promise<string[]> =>
    (await readdir(funcd.folder)).flatMap((name) => /^log-(.*)$/.exec(name)?.[1] ?? []);
  ours = await Promise.all(["node1", "node2"].map((name) => watch(name, jobsOf(name))));
  theirs = await Promise.all(originals.map((one) => watch(one.name, () => jobsOfOriginal(one))));
});

/** Ids of the jobs whose records are there. */
async function jobsIn(folder: string): Promise<string[]> {
  const records = (await readdir(folder)).map(async (name) => {
    const text = await readFile(join(folder, name, "job.json"), "utf8").catch(() => undefined);
    return text === undefined ? [] : [(JSON.parse(text) as { id: string }).id];
  });
  return (await Promise.all(records)).flat();
}

async function watch(name: string, jobs: () => Promise<string[]>): Promise<Watched> {
  const { port } = await fleet.record(name);
  const shim = await TcpShim.listen({ host: "127.0.0.1", port });
  const connection = await fleet.connection();
  await connection.request("minions/edit", { name, port: shim.port });
  return { name, shim, jobs, port };
}

afterAll(async () => {
  asker.close();
  await Promise.all([...ours, ...theirs].map(({ shim }) => shim.close()));
  await Promise.all(originals.map((funcd) => funcd.close()));
  await fleet.close();
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "func-steps-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Runs on each minion until it is told to end; the minion that begins first is "first". */
function command(): string {
  return `cd ${folder} && if mkdir first; then me=first; else me=second; fi 2>/dev/null
while [ -d ${folder} ] && [ ! -e $me.end ]; do sleep 0.05; done; echo $me`;
}

async function end(me: "first" | "second"): Promise<void> {
  await writeFile(join(folder, `${me}.end`), "");
}

/** The step as it stands, by what overlord and minions say themselves. */
async function look(
  overlord: () => Promise<JobCode>,
  minions: readonly Watched[],
  before: ReadonlySet<string>,
): Promise<Step> {
  const codes: (number | null)[] = [];
  // the overlord first: what it knows of its minions is never newer than they are
  const code = await overlord();
  for (const minion of minions) {
    const [id] = (await minion.jobs()).filter((job) => !before.has(job));
    const status = id === undefined ? JOB_ID_LOST_IN_SPACE : await asker.jobCode(minion, id);
    // its folder is there a moment before the minion tells of it
    codes.push(status === JOB_ID_LOST_IN_SPACE ? null : status);
  }
  return [code, codes[0] ?? null, codes[1] ?? null];
}

/**
 * Goes through all steps of the table: each is reached from the one before, and nothing is seen on the way that
 * is neither of the two.
 */
async function goThrough(
  minions: readonly Watched[],
  start: () => Promise<() => Promise<JobCode>>,
  finish: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const [first, second] = minions;
  if (!first || !second) throw new Error("two minions are needed");
  const before = new Set((await Promise.all(minions.map(({ jobs }) => jobs()))).flat());
  first.shim.hold();
  second.shim.hold();
  const overlord = await start();
  const actions: (() => void | Promise<void>)[] = [
    () => undefined,
    () => {
      first.shim.release();
    },
    () => {
      second.shim.release();
    },
    () => end("first"),
    () => {
      second.shim.hold();
      return end("second");
    },
    () => {
      second.shim.release();
      return finish();
    },
  ];
  let last = STEPS[0];
  for (const [at, step] of STEPS.entries()) {
    await actions[at]?.();
    for (;;) {
      const now = await look(overlord, minions, before);
      for (const [place, code] of now.entries()) {
        expect([last?.[place], step[place]], `step ${at + 1}: ${JSON.stringify(now)}`).toContain(
          code,
        );
      }
      if (JSON.stringify(now) === JSON.stringify(step)) break;
    }
    last = step;
  }
}

const RESULTS = [
  [0, "first\n", ""],
  [0, "second\n", ""],
];

describe.each([
  ["our own funcd", () => ours],
  ["the original's funcd", () => theirs],
])("our overlord and %s", (_, minionsOf) => {
  it("go through the seed's six steps, in order", async () => {
    const minions = minionsOf();
    const names = minions.map(({ name }) => name);
    const connection = await fleet.connection();
    // connections that are there: the held shims then keep back requests, and not the way to the minions
    await fleet.call("test", "ping", [], names.join(";"));
    let id = "";
    const status = () => connection.request("jobs/status", { jobId: id });
    await goThrough(minions, async () => {
      const call = { module: "command", method: "run", args: [command()], async: true };
      ({ id } = await connection.request("calls/start", { spec: names.join(";"), ...call }));
      return async () => {
        const { code, results } = await status();
        if (code === JOB_ID_RUNNING) expect(results).toBeNull();
        return code;
      };
    });
    const results = Object.fromEntries(names.map((name, at) => [name, RESULTS[at]]));
    expect(await status()).toEqual({ code: JOB_ID_FINISHED, results });
    // what is finished is answered by the overlord alone
    minions.forEach(({ shim }) => {
      shim.hold();
    });
    expect(await status()).toEqual({ code: JOB_ID_FINISHED, results });
    minions.forEach(({ shim }) => {
      shim.release();
    });
  });
});

describe("the original's overlord and our funcd", () => {
  it("go through the seed's six steps, in order", async () => {
    const names = ours.map(({ name }) => name);
    const overlord = await OriginalOverlord.run({
      ca: join(fleet.data, "ca", "ca.crt"),
      certificate: join(fleet.data, "credentials", "overlord.pem"),
      key: join(fleet.data, "credentials", "overlord.pem"),
    });
    let id = "";
    await goThrough(
      ours,
      async () => {
        id = await overlord.start({
          spec: "node*",
          hosts: Object.fromEntries(
            ours.map(({ name, shim }) => [name, `https://127.0.0.1:${shim.port}`]),
          ),
          ...{ module: "command", method: "run", args: [command()], nforks: 2 },
        });
        return async () => (await overlord.openJobIds())[id] ?? JOB_ID_FINISHED;
      },
      async () => {
        // until here its file has the minions' ids, also after it was asked for partial results
        const ids = await overlord.stored(id);
        expect(Object.keys(ids as object)).toEqual(names);
        const [code, results] = await overlord.jobStatus(id);
        expect(code).toBe(JOB_ID_FINISHED);
        expect(results).toEqual(Object.fromEntries(names.map((name, at) => [name, RESULTS[at]])));
      },
    );
    expect(id).toMatch(/^node\*-command-run-\d+\.\d+$/);
    await overlord.close();
  });

  it("give partial results while some minion runs, and keep the minions' ids for the rest", async () => {
    const overlord = await OriginalOverlord.run({
      ca: join(fleet.data, "ca", "ca.crt"),
      certificate: join(fleet.data, "credentials", "overlord.pem"),
      key: join(fleet.data, "credentials", "overlord.pem"),
    });
    const hosts = Object.fromEntries([
      ...ours.map(({ name, port }) => [name, `https://127.0.0.1:${port}`]),
      ["gone", "https://127.0.0.1:1"],
    ]) as { [name: string]: string };
    const call = { module: "command", method: "run", args: [command()], nforks: 1 };
    const id = await overlord.start({ spec: "*", hosts, ...call });
    const refused = ["REMOTE_ERROR", "socket.error", "[Errno 111] Connection refused"];
    await until(async () => (await overlord.jobStatus(id))[0] === JOB_ID_PARTIAL);
    expect(await overlord.jobStatus(id)).toEqual([JOB_ID_PARTIAL, { gone: refused }]);
    const ids = await overlord.stored(id);
    await end("first");
    const partial = { gone: refused, node1: RESULTS[0] };
    await until(async () => JSON.stringify(await overlord.jobStatus(id)).includes("first"));
    expect(await overlord.jobStatus(id)).toEqual([JOB_ID_PARTIAL, partial]);
    expect(await overlord.stored(id)).toEqual(ids);
    await end("second");
    await until(async () => (await overlord.jobStatus(id))[0] === JOB_ID_FINISHED);
    const all = { ...partial, node2: RESULTS[1] };
    expect(await overlord.jobStatus(id)).toEqual([JOB_ID_FINISHED, all]);
    expect(await overlord.jobStatus("node*-command-run-1.5")).toEqual([2, 0]);
    await overlord.close();
  });
});
