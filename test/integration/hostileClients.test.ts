import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { figureTable, type Attack, type Figure } from "../fixtures/hostile/attack";
import { attackOn } from "../fixtures/hostile/attackSocket";
import {
  clientAttacks,
  connectClient,
  frame,
  strangerAttacks,
} from "../fixtures/hostile/clientAttacks";
import { MemoryProbe } from "../fixtures/hostile/memoryProbe";
import { answer, TestFleet } from "../fixtures/testFleet";
import { startTestMinion, type TestMinion } from "../fixtures/testMinion";

let fleet: TestFleet;
let good: TestMinion;
let pid: number;
const figures: Figure[] = [];

beforeAll(async () => {
  fleet = await TestFleet.start([]);
  good = await startTestMinion(fleet.connection, "good", answer);
  pid = (await fleet.connection.request("overlord/status", {})).pid;
});

afterAll(async () => {
  await good.close();
  await fleet.close();
  process.stdout.write(`${figureTable(figures)}\n`);
});

async function run(attack: Attack, welcome: boolean): Promise<void> {
  const socket = await connectClient(fleet.home, welcome);
  const probe = new MemoryProbe(pid);
  const [reaction, status] = await Promise.all([
    attackOn(socket, Buffer.alloc(0), attack.body()),
    fleet.connection.request("overlord/status", {}),
  ]);
  socket.destroy();
  const outcome = reaction.answer.replace(/^.*?\r\n\r\n/s, "").slice(0, 150);
  figures.push({
    item: attack.name,
    direction: "client",
    ms: reaction.ms,
    megabytes: probe.growth(),
    outcome,
  });
  expect(status.pid).toBe(pid);
  if (attack.outcome === "refused") expect(outcome).toBe("closed");
  else expect(outcome).toContain('"jsonrpc"');
  expect(outcome).not.toContain("internal");
  expect(outcome).not.toContain("call stack");
}

describe("the overlord's socket", () => {
  it.each(strangerAttacks().map((attack) => ({ name: attack.name, attack })))(
    "takes from a stranger: $name",
    ({ attack }) => run(attack, false),
  );

  it.each(clientAttacks().map((attack) => ({ name: attack.name, attack })))(
    "takes from a client: $name",
    ({ attack }) => run(attack, true),
  );

  it("is open for clients however many strangers there are", async () => {
    const strangers: Socket[] = [];
    for (let count = 0; count < 700; count++) {
      strangers.push(await connectClient(fleet.home, false));
    }
    const client = await connectClient(fleet.home, true);
    expect(client.destroyed).toBe(false);
    for (const socket of [...strangers, client]) socket.destroy();
  });

  it("bounds what it keeps for a client that never reads", async () => {
    const socket = await connectClient(fleet.home, true);
    socket.pause();
    const probe = new MemoryProbe(pid);
    const ask = (id: number): Buffer =>
      frame(`{"jsonrpc":"2.0","id":${id},"method":"overlord/status","params":{}}`);
    socket.on("error", () => undefined);
    // as it does not read, only its writing tells it that it was cut off
    for (let id = 0; !socket.destroyed; id += 100) {
      socket.write(Buffer.concat(Array.from({ length: 100 }, (_, index) => ask(id + index))));
      await sleep(id < 20_000 ? 0 : 50);
    }
    expect((await fleet.connection.request("overlord/status", {})).pid).toBe(pid);
    figures.push({
      item: "20,000 requests, no answer read",
      direction: "client",
      ms: NaN,
      megabytes: probe.growth(),
      outcome: "closed",
    });
    expect(probe.growth()).toBeLessThan(150);
  });
});
