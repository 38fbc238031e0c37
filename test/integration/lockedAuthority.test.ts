import { afterEach, beforeEach, expect, it } from "vitest";
import { changeLives, daysAgo } from "../fixtures/pastCertificates";
import { RealFleet } from "../fixtures/realFleet";
import { until } from "../fixtures/overlordBundle";

const PASSPHRASE = "correct horse battery";

let fleet: RealFleet;

beforeEach(async () => {
  fleet = await RealFleet.create();
});
afterEach(() => fleet.close());

it("with a locked CA calls go on, renewals wait, and it is said", async () => {
  await fleet.add("web1", "web2");
  let connection = await fleet.connection();
  await fleet.call("test", "ping");
  await connection.request("certmaster/revoke", { names: ["web2"] });
  const set = await connection.request("certmaster/setPassphrase", { next: PASSPHRASE });
  expect(set).toMatchObject({ caState: "ready", caEncrypted: true, warnings: [] });
  await fleet.stopAll();
  await changeLives(fleet, { web1: daysAgo(80, -10) }, undefined, PASSPHRASE);
  for (const name of fleet.names) await fleet.startMinion(name);

  connection = await fleet.connection();
  const list = await connection.request("certmaster/list", {});
  expect(list.caState).toBe("locked");
  expect(list.warnings?.join()).toMatch(/1 minion has not been renewed \(web1\).*func ca unlock/);
  expect((await fleet.call("test", "ping", [], "web1")).get("web1")?.state).toBe("succeeded");
  const before = await fleet.record("web1");
  for (const ask of [
    () => connection.request("certmaster/createToken", {}),
    () => connection.request("certmaster/revoke", { names: ["web1"] }),
  ]) {
    await expect(ask()).rejects.toMatchObject({
      message: expect.stringContaining("The CA is locked") as string,
    });
  }
  const renewal = await connection.request("certmaster/renew", { spec: "web1" });
  expect(renewal.failed[0]?.problem).toContain("The CA is locked");

  await expect(
    connection.request("certmaster/unlock", { passphrase: "wrong one" }),
  ).rejects.toMatchObject({ message: expect.stringContaining("wrong") as string });
  await until(async () => {
    const unlocking = connection.request("certmaster/unlock", { passphrase: PASSPHRASE });
    return (await unlocking.catch(() => undefined))?.caState === "ready";
  });
  await until(async () => {
    const { certificateSerial } = await fleet.record("web1");
    return certificateSerial !== before.certificateSerial;
  });
  expect((await connection.request("certmaster/list", {})).warnings).toEqual([]);
});
