import { appendFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { OverlordConnection } from "../../server/client/connection";
import { peerOf } from "../../server/calls/minionCaller";
import type { WirePeer } from "../../server/wire/wireClient";
import { signOperator, type Operator } from "../fixtures/operator";
import { isRunning, readEndpoint, until } from "../fixtures/overlordBundle";
import { RealFleet } from "../fixtures/realFleet";

let fleet: RealFleet;
let connection: OverlordConnection;
let eve: Operator;
let web1: WirePeer;

beforeEach(async () => {
  fleet = await RealFleet.create();
  await appendFile(join(fleet.data, "overlord.yaml"), "idle_minutes: 0.01\n");
  connection = await fleet.connection();
  await fleet.add("web1");
  await fleet.call("test", "ping");
  eve = await signOperator(connection, "eve", fleet.root);
  web1 = peerOf(await fleet.record("web1"));
}, 60_000);
afterEach(() => fleet.close());

async function revoke(): Promise<string[]> {
  const params = { names: ["eve"], role: "operator" } as const;
  return (await connection.request("certmaster/revoke", { ...params, names: ["eve"] })).untold;
}

async function isRefused(): Promise<boolean> {
  const client = eve.client(0);
  try {
    await client.call(web1, "test.ping", []);
    return false;
  } catch (error) {
    return String(error).includes("revoked since");
  } finally {
    client.close();
  }
}

it("a minion that was down is told when it is back, without a call: the overlord waits for it, then ends", async () => {
  await fleet.stopMinion("web1");
  expect(await revoke()).toEqual(["web1"]);
  const { pid } = await readEndpoint(fleet.data);
  connection.dispose();
  await fleet.startMinion("web1");
  await until(isRefused);
  await until(() => !isRunning(pid));
}, 90_000);

it("an overlord that was killed before it told anybody does so when it is started again", async () => {
  await fleet.stopMinion("web1");
  expect(await revoke()).toEqual(["web1"]);
  await fleet.stopOverlord();
  await fleet.startMinion("web1");
  expect(await isRefused()).toBe(false);
  connection = await fleet.connection();
  await until(isRefused);
}, 60_000);

it("a minion that cannot keep the list counts as untold, and is told again", async () => {
  const file = join(fleet.home("web1"), "pki", "revocations.json");
  await mkdir(file);
  expect(await revoke()).toEqual(["web1"]);
  expect(await isRefused()).toBe(true);
  await rm(file, { recursive: true });
  await fleet.stopOverlord();
  connection = await fleet.connection();
  const kept = async (): Promise<unknown> =>
    (await fleet.call("trust", "status")).get("web1")?.value;
  await until(async () => JSON.stringify(await kept()).includes('"kept":true'));
  await fleet.stopMinion("web1");
  await fleet.startMinion("web1");
  expect(await isRefused()).toBe(true);
}, 90_000);
