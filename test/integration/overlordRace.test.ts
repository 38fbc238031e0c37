import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildOverlord, connect, endOverlord, isRunning, until } from "../fixtures/overlordBundle";

const ROUNDS = 100;

let folder: string;
let home: string;
let script: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "func-race-"));
  home = join(folder, "home");
  script = await buildOverlord(folder);
});

afterAll(async () => {
  await endOverlord(home);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

it("gives two clients that start at the same instant one overlord, a hundred times in a row", async () => {
  const pids = new Set<number>();
  for (let round = 0; round < ROUNDS; round++) {
    const [left, right] = await Promise.all([connect(home, script), connect(home, script)]);
    const { pid } = left.hello;
    expect(right.hello.pid).toBe(pid);
    pids.add(pid);
    left.dispose();
    right.dispose();
    // the next pair finds the lock, the socket and the endpoint of a dead one
    process.kill(pid, "SIGKILL");
    await until(() => !isRunning(pid));
  }
  expect(pids.size).toBe(ROUNDS);
}, 300_000);
