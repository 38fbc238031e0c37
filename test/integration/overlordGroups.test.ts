import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { OverlordConnection } from "../../server/client/connection";
import { connect, until } from "../fixtures/overlordBundle";
import { TestFleet } from "../fixtures/testFleet";

let fleet: TestFleet;
let other: OverlordConnection;
let told: number;

beforeAll(async () => {
  fleet = await TestFleet.start([]);
  other = await connect(fleet.home, fleet.script);
  other.on("groups/changed", () => told++);
  told = 0;
});

afterAll(async () => {
  other.dispose();
  await fleet.close();
});

it("a change of a group is told to every client, and nothing else is", async () => {
  const { connection } = fleet;
  const own: object[] = [];
  connection.on("groups/changed", (params) => own.push(params));
  const web = [{ name: "web", hosts: ["web*", "db1"] }];
  expect(await connection.request("groups/edit", { name: "web", add: ["web*", "db1"] })).toEqual(
    web,
  );
  await until(() => told === 1);
  expect(await other.request("groups/list", {})).toEqual(web);

  // what changes nothing, and what is refused
  await connection.request("groups/edit", { name: "web", add: ["db1"] });
  await expect(
    connection.request("groups/edit", { name: "wbe", delete: true }),
  ).rejects.toMatchObject({ reason: "not-found" });
  await writeFile(join(fleet.home, "groups"), "[web]\nhost = db1\n");
  await connection.request("groups/list", {});

  await other.request("groups/edit", { name: "web", delete: true });
  await until(() => told >= 2 && own.length >= 2);
  expect(told).toBe(2);
  expect(own).toEqual([{}, {}]);
  expect(await connection.request("groups/list", {})).toEqual([]);
});
