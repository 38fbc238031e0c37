import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { X509Certificate } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { keyFingerprint } from "../../server/pki/certificates/identity";
import type { MinionResult } from "../../server/protocol/jobs";
import { startTreeFleet, type TreeFleet } from "../fixtures/treeFleet";

const LIMIT_MS = 240_000;

let fleet: TreeFleet;

beforeAll(async () => {
  fleet = await startTreeFleet({ tiers: [1, 1, 2] });
  await fleet.writeMap();
}, LIMIT_MS);

afterAll(() => fleet.close(), LIMIT_MS);

async function echo(text: string, isAsync = false): Promise<MinionResult | undefined> {
  const call = { module: "test", method: "echo", args: [text], async: isAsync };
  return (await fleet.call({ ...call, spec: "leaf1", delegate: true })).get("leaf1");
}

async function keyOfLeaf(): Promise<string> {
  const pem = await readFile(join(fleet.homeOf("leaf1"), "pki", "minion.crt"));
  return keyFingerprint(new X509Certificate(pem).publicKey);
}

async function renew(): Promise<string> {
  const above = fleet.pathOf("leaf1").at(-2);
  const connection = await fleet.connection(above);
  const result = await connection.request("certmaster/renew", { spec: "leaf1" });
  expect(result).toMatchObject({ renewed: [expect.anything()], failed: [] });
  return keyOfLeaf();
}

function identities(): Promise<string> {
  return readFile(join(fleet.dataOf(), "map.identities.yaml"), "utf8");
}

it(
  "a host whose certificate was renewed is the same one to the overlord at the top",
  async () => {
    const keys = [await keyOfLeaf()];
    expect(await echo("first")).toMatchObject({ value: "first", signed: "first" });
    expect(await identities()).toContain(keys[0]);

    for (const isAsync of [false, true]) {
      keys.push(await renew());
      const told = { state: "succeeded", value: "renewed", signed: "yes" };
      expect(await echo("renewed", isAsync)).toMatchObject(told);
      const known = await identities();
      expect(known).toContain(keys.at(-1));
      expect(known).not.toContain(keys.at(-2));
    }

    // several that the top has not seen, and another process of the host
    for (let time = 0; time < 2; time++) keys.push(await renew());
    await fleet.killMinions("leaf1");
    await fleet.startMinions("leaf1");
    expect(await echo("again")).toMatchObject({ value: "again", signed: "yes" });
    expect(await identities()).toContain(keys.at(-1));
    expect(new Set(keys).size).toBe(5);
  },
  LIMIT_MS,
);
