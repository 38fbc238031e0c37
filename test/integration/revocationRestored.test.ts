import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { OverlordConnection } from "../../server/client/connection";
import { peerOf } from "../../server/calls/minionCaller";
import { signOperator, type Operator } from "../fixtures/operator";
import { until } from "../fixtures/overlordBundle";
import { RealFleet } from "../fixtures/realFleet";

let fleet: RealFleet;
let connection: OverlordConnection;
let alice: Operator;
let bob: Operator;

beforeEach(async () => {
  fleet = await RealFleet.create();
  connection = await fleet.connection();
  await fleet.add("web1", "web2");
  await fleet.call("test", "ping");
  alice = await signOperator(connection, "alice", fleet.root);
  bob = await signOperator(connection, "bob", fleet.root);
}, 60_000);
afterEach(() => fleet.close());

/** As with a backup of before alice was revoked. */
async function restore(): Promise<void> {
  const [ca, backup] = [join(fleet.data, "ca"), join(fleet.root, "backup")];
  await cp(ca, backup, { recursive: true });
  await connection.request("certmaster/revoke", { names: ["alice"], role: "operator" });
  await fleet.stopOverlord();
  await rm(ca, { recursive: true });
  await cp(backup, ca, { recursive: true });
  connection = await fleet.connection();
  expect((await connection.request("certmaster/list", {})).revocationNumber).toBe(0);
}

async function expectRefused(operator: Operator, name: string): Promise<void> {
  const client = operator.client(0);
  const call = client.call(peerOf(await fleet.record(name)), "test.ping", []);
  await expect(call.finally(() => client.close())).rejects.toThrow(/revoked since/);
}

it("another list of the same number lets nobody in again: the overlord learns what it forgot first", async () => {
  await restore();
  const params = { names: ["bob"], role: "operator" } as const;
  const result = await connection.request("certmaster/revoke", { ...params, names: ["bob"] });
  expect(result).toMatchObject({ told: 2, untold: [] });
  const { certificates, revocationNumber } = await connection.request("certmaster/list", {});
  expect(revocationNumber).toBe(2);
  expect(certificates.find(({ name }) => name === "alice")?.revoked).toBeDefined();
  for (const name of ["web1", "web2"]) {
    await expectRefused(alice, name);
    await expectRefused(bob, name);
    const status = (await fleet.call("trust", "status", [], name)).get(name);
    expect(status).toMatchObject({ value: { number: 2, revoked: 2, kept: true } });
  }
}, 60_000);

it("an overlord that has no list at all learns the minions' with the first call", async () => {
  await restore();
  await fleet.call("test", "ping", [], "web2");
  await until(async () => {
    const { certificates } = await connection.request("certmaster/list", {});
    return certificates.some(({ name, revoked }) => name === "alice" && revoked !== undefined);
  });
  expect((await connection.request("certmaster/list", {})).revocationNumber).toBe(2);
}, 60_000);
