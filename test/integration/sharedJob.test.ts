import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { OverlordConnection } from "../../server/client/connection";
import { FINAL_STATES, type JobProgress, type MinionResult } from "../../server/protocol/jobs";
import { connect, until } from "../fixtures/overlordBundle";
import { buildPrograms, programScript, runProgram } from "../fixtures/programs";
import { RealFleet } from "../fixtures/realFleet";

const NAMES = ["node1", "node2", "node3", "node4"];

let fleet: RealFleet;
let folder: string;

beforeAll(async () => {
  fleet = await RealFleet.create();
  await fleet.add(...NAMES);
  await buildPrograms(fleet.root, ["func", "overlord"]);
});

afterAll(() => fleet.close());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "func-shared-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A window as the extension has one: what it shows is made of snapshots and progress alone. */
class JobWindow {
  /** How each minion stands, as this window shows it. */
  readonly shown = new Map<string, MinionResult>();
  /** Minions whose end this connection told, in that order. */
  ends: string[] = [];
  finished = false;
  #seq = 0;

  private constructor(
    private readonly connection: OverlordConnection,
    jobId: string,
  ) {
    connection.on("jobs/progress", (progress) => {
      if (progress.summary.id === jobId && progress.seq > this.#seq) this.#take(progress);
    });
  }

  static async open(jobId: string): Promise<JobWindow> {
    const connection = await connect(fleet.data, programScript(fleet.root, "overlord"));
    const window = new JobWindow(connection, jobId);
    window.#take(await connection.request("jobs/watch", { jobId }));
    return window;
  }

  close(): void {
    this.connection.dispose();
  }

  #take({ seq, summary, results }: JobProgress): void {
    this.#seq = Math.max(this.#seq, seq);
    this.finished ||= summary.finished;
    for (const result of results) {
      const isEnd = FINAL_STATES.has(result.state);
      if (isEnd) this.ends.push(result.minion);
      this.shown.set(result.minion, result);
    }
  }
}

/** Ends on each minion once it is told to; who begins first is 1. */
function command(): string {
  return `cd ${folder} && for me in 1 2 3 4; do mkdir $me 2>/dev/null && break; done
while [ -d ${folder} ] && [ ! -e $me.end ]; do sleep 0.05; done; echo $me`;
}

async function start(): Promise<string> {
  const connection = await fleet.connection();
  const call = { spec: "*", module: "command", method: "run", args: [command()], async: true };
  return (await connection.request("calls/start", call)).id;
}

const end = (me: number): Promise<void> => writeFile(join(folder, `${me}.end`), "");

function values(window: JobWindow): { [minion: string]: unknown } {
  return Object.fromEntries(NAMES.map((name) => [name, window.shown.get(name)?.value]));
}

it("shows the same to two windows and the command line, over a reload and another overlord", async () => {
  const jobId = await start();
  const first = await JobWindow.open(jobId);
  let second = await JobWindow.open(jobId);
  const cli = runProgram(fleet.root, "func", ["--json", "jobs", "follow", jobId], {
    env: { FUNC_HOME: fleet.data },
  });
  await until(() => NAMES.every((name) => first.shown.get(name)?.state === "running"));
  await end(1);
  await until(() => first.ends.length === 1 && second.ends.length === 1);

  // the second window is reloaded, and something ends meanwhile
  second.close();
  await end(2);
  await until(() => first.ends.length === 2);
  second = await JobWindow.open(jobId);
  expect(new Set(second.ends)).toEqual(new Set(first.ends));
  expect(values(second)).toEqual(values(first));

  // the overlord is killed, and something ends meanwhile
  await fleet.stopOverlord();
  await end(3);
  const third = await JobWindow.open(jobId);
  const fourth = await JobWindow.open(jobId);
  await end(4);
  await until(() => third.finished && fourth.finished);
  expect(values(fourth)).toEqual(values(third));
  expect(Object.values(values(third)).flat().filter(isText).sort()).toEqual(
    ["", "", "", "", "1\n", "2\n", "3\n", "4\n"].sort(),
  );
  // what was shown before has not changed, and nobody was told anything twice
  for (const name of first.ends) expect(third.shown.get(name)).toEqual(first.shown.get(name));
  for (const window of [first, second, third, fourth]) {
    expect(new Set(window.ends).size).toBe(window.ends.length);
  }
  const connection = await fleet.connection();
  const { results } = await connection.request("jobs/status", { jobId });
  expect(results).toEqual(values(third));
  const { status, stdout } = await cli;
  expect(JSON.parse(stdout)).toEqual(results);
  expect(status).toBe(0);
  for (const window of [first, second, third, fourth]) window.close();
});

function isText(value: unknown): value is string {
  return typeof value === "string";
}
