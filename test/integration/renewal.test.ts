import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../fixtures/overlordBundle";
import { changeLives, daysAgo } from "../fixtures/pastCertificates";
import { RealFleet } from "../fixtures/realFleet";
import type { RenewalFailure } from "../../server/protocol/certmaster";

let fleet: RealFleet;

beforeEach(async () => {
  fleet = await RealFleet.create();
});
afterEach(() => fleet.close());

async function certificateOf(name: string): Promise<X509Certificate> {
  return new X509Certificate(await readFile(join(fleet.home(name), "pki", "minion.crt")));
}

function states(results: Map<string, { state: string }>): Record<string, string> {
  return Object.fromEntries([...results].map(([name, { state }]) => [name, state]));
}

describe("an overlord that was off for four months", () => {
  it("gets its fleet back with the first call, though every certificate has expired", async () => {
    await fleet.add("web1", "web2", "db1");
    expect(states(await fleet.call("test", "ping"))).toEqual({
      web1: "succeeded",
      web2: "succeeded",
      db1: "succeeded",
    });
    const before = await fleet.record("web1");
    await fleet.stopAll();
    const minions = daysAgo(120, 30);
    await changeLives(fleet, { web1: minions, web2: minions, db1: minions }, daysAgo(120, 90));
    for (const name of fleet.names) await fleet.startMinion(name);

    expect(states(await fleet.call("test", "ping"))).toEqual({
      web1: "succeeded",
      web2: "succeeded",
      db1: "succeeded",
    });
    const after = await fleet.record("web1");
    expect(after.keyFingerprint).not.toBe(before.keyFingerprint);
    expect(after.enrolledAtMs).toBe(before.enrolledAtMs);
    expect(after.renewing).toBeUndefined();
    expect((await certificateOf("web1")).serialNumber).toBe(after.certificateSerial);
    expect(after.certificateNotAfterMs).toBeGreaterThan(Date.now() + 80 * 86_400_000);

    // a restart of both finds what was written
    await fleet.stopAll();
    for (const name of fleet.names) await fleet.startMinion(name);
    expect(states(await fleet.call("test", "ping"))).toMatchObject({ web1: "succeeded" });
  });

  it("does not take back a minion whose key was revoked, or that answers with another key", async () => {
    await fleet.add("web1", "web2");
    const connection = await fleet.connection();
    await fleet.call("test", "ping");
    await connection.request("certmaster/revoke", { names: ["web1"], reason: "stolen" });
    await fleet.stopAll();
    const life = daysAgo(120, 30);
    await changeLives(fleet, { web1: life, web2: life });
    for (const name of fleet.names) await fleet.startMinion(name);
    const results = await fleet.call("test", "ping");
    expect(states(results)).toEqual({ web1: "unreachable", web2: "succeeded" });
    expect(results.get("web1")?.error?.message).toMatch(/revoked/);
  });
});

describe("certificates that are due", () => {
  it("are renewed in the background while calls go on, all of them answered", async () => {
    await fleet.add("web1", "web2");
    await fleet.call("test", "ping");
    await fleet.stopAll();
    // 80 of 90 days are over
    const life = daysAgo(80, -10);
    await changeLives(fleet, { web1: life, web2: life });
    const before = await Promise.all(fleet.names.map(certificateOf));
    for (const name of fleet.names) await fleet.startMinion(name);

    let failures = 0;
    let calls = 0;
    const renewed = async (): Promise<boolean> => {
      const results = await fleet.call("test", "echo", ["x"]);
      calls += results.size;
      failures += [...results.values()].filter(({ state }) => state !== "succeeded").length;
      const now = await Promise.all(fleet.names.map(certificateOf));
      return now.every((one, index) => one.serialNumber !== before[index]?.serialNumber);
    };
    await until(async () => (await renewed()) && (await renewed()));
    expect(calls).toBeGreaterThan(10);
    expect(failures).toBe(0);
    for (const name of fleet.names) {
      const { certificateSerial, renewing } = await fleet.record(name);
      expect(renewing).toBeUndefined();
      expect((await certificateOf(name)).serialNumber).toBe(certificateSerial);
    }
  });

  it("and any other, are renewed on request", async () => {
    await fleet.add("web1", "web2");
    const connection = await fleet.connection();
    expect(await connection.request("certmaster/renew", {})).toEqual({ renewed: [], failed: [] });
    await fleet.stopMinion("web2");
    const { renewed, failed } = await connection.request("certmaster/renew", { spec: "*" });
    expect(renewed.map(({ name }) => name)).toEqual(["web1"]);
    expect(failed).toEqual([
      { name: "web2", problem: expect.stringMatching(/web2 .* refused/) as string },
    ]);
    const failureOfWeb2 = async (): Promise<(RenewalFailure | undefined)[]> => {
      const { certificates } = await connection.request("certmaster/list", {});
      const { certificateSerial } = await fleet.record("web2");
      const ofWeb2 = certificates.filter(({ serial }) => serial === certificateSerial);
      return ofWeb2.map(({ renewalFailed }) => renewalFailed);
    };
    expect(await failureOfWeb2()).toEqual([
      { sinceMs: expect.any(Number) as number, problem: failed[0]?.problem },
    ]);
    expect(states(await fleet.call("test", "ping", [], "web1"))).toEqual({ web1: "succeeded" });
    await fleet.startMinion("web2");
    await connection.request("certmaster/renew", { spec: "web2" });
    expect(await failureOfWeb2()).toEqual([undefined]);
  });
});
