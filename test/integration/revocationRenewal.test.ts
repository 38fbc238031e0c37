import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { OverlordConnection } from "../../server/client/connection";
import { RealFleet } from "../fixtures/realFleet";

let fleet: RealFleet;
let connection: OverlordConnection;
/** So long after a renewal began; a renewal takes some 50 ms. */
const DELAYS_MS = [0, 4, 8, 12, 16, 20, 25, 30, 35, 40, 60];
const names = DELAYS_MS.map((_ms, at) => `web${at}`);

beforeAll(async () => {
  fleet = await RealFleet.create();
  connection = await fleet.connection();
  await fleet.add(...names);
  await fleet.call("test", "ping");
}, 120_000);
afterAll(() => fleet.close());

it("takes the certificate of a renewal that is under way as well, whenever it comes", async () => {
  for (const [at, ms] of DELAYS_MS.entries()) {
    const name = names[at] ?? "";
    const renewing = connection.request("certmaster/renew", { spec: name });
    await delay(ms);
    await connection.request("certmaster/revoke", { names: [name] });
    await renewing;
  }
  const { certificates } = await connection.request("certmaster/list", {});
  const good = certificates.filter(({ role, revoked }) => role === "minion" && !revoked);
  expect(good).toEqual([]);
  const results = await fleet.call("test", "ping");
  expect([...results.values()].map(({ state }) => state)).toEqual(names.map(() => "unreachable"));
}, 120_000);
