import { readFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { askAt, subOverlordPaths } from "../../server/client/askAt";
import type { CertmasterList } from "../../server/protocol/certmaster";
import { until } from "../fixtures/overlordBundle";
import { runProgram } from "../fixtures/programs";
import { startTreeFleet, type TreeFleet } from "../fixtures/treeFleet";

const LIMIT_MS = 180_000;
/** Two tiers deep: mid2 stands below mid1. */
const DEEP = "mid1/mid2";

let fleet: TreeFleet;
beforeAll(async () => {
  fleet = await startTreeFleet({ tiers: [1, 1, 1] });
  await fleet.writeMap();
}, LIMIT_MS);
afterAll(() => fleet.close(), LIMIT_MS);

async function newHome(name: string): Promise<string> {
  const home = join(fleet.root, name);
  await mkdir(home, { mode: 0o700 });
  const yaml = `name: ${name}\nlisten: {host: 127.0.0.1, port: 0}\nannounce: 127.0.0.1\n`;
  await writeFile(join(home, "minion.yaml"), yaml);
  return home;
}

async function audit(overlord: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(join(fleet.dataOf(overlord), "audit.log"), "utf8").catch(() => "");
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

it("names the sub-overlords of a map from the top down, each host once", () => {
  const leaf = (name: string) => ({ name, children: [] });
  const mid2 = { name: "mid2", identity: "a".repeat(64), children: [leaf("leaf1")] };
  const nodes = [{ name: "mid1", children: [mid2] }, leaf("web1"), mid2];
  expect(subOverlordPaths(nodes)).toEqual([["mid1"], ["mid2"]]);
});

it(
  "asks a sub-overlord behind another one, and says who cannot be asked",
  async () => {
    const connection = await fleet.connection();
    const status = await askAt(connection, ["mid1", "mid2"], "overlord/status", {});
    expect(status.dataDirectory).toBe(fleet.dataOf("mid2"));
    const minions = await askAt(connection, ["mid1"], "minions/list", {});
    expect(minions.map(({ name }) => name)).toEqual(["mid2"]);
    const wrong = (path: string[]) => askAt(connection, path, "overlord/status", {});
    await expect(wrong(["mid9"])).rejects.toMatchObject({ reason: "not-found" });
    await expect(wrong(["mid1", "mid9"])).rejects.toMatchObject({ reason: "not-found" });
    await expect(wrong(["mid1", "mid2", "leaf1"])).rejects.toMatchObject({
      reason: "unavailable",
      message: expect.stringContaining("leaf1 is no sub-overlord") as string,
    });
    const denied = { path: ["mid1"], request: "overlord/stop" as "overlord/status", params: {} };
    await expect(connection.request("overlord/at", denied)).rejects.toMatchObject({
      reason: "bad-argument",
    });
    const params = { name: "x".repeat(1_000), keyFingerprint: "none" };
    await expect(askAt(connection, ["mid1"], "certmaster/approve", params)).rejects.toMatchObject({
      reason: "bad-argument",
    });
  },
  LIMIT_MS,
);

it(
  "gives tokens of a sub-overlord, with which hosts join there",
  async () => {
    const words = ["ca", "token", "--name", "new1", "--address", "127.0.0.1", "--at", DEEP];
    const { status, stdout, stderr } = await fleet.func(words);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stderr).toMatch(/\nThen here, .*: func build-map\.\n$/);
    const home = await newHome("new1");
    const joined = await runProgram(fleet.root, "funcd", ["join", stdout.trim(), "--home", home]);
    expect(joined).toMatchObject({ status: 0, stderr: "" });
    const below = await fleet.connection("mid2");
    const names = (await below.request("minions/list", {})).map(({ name }) => name);
    expect(names).toEqual(["leaf1", "new1"]);
    const made = (await audit("mid2")).find(({ event }) => event === "certmaster/createToken");
    expect(made).toMatchObject({ client: "funcd", nameGlob: "new1", outcome: "ok" });
    expect(made?.["by"]).toContain("overlord");
    const asked = (await audit("top")).find(({ request }) => request === "certmaster/createToken");
    expect(asked).toMatchObject({
      path: ["mid1", "mid2"],
      request: "certmaster/createToken",
      asked: { nameGlob: "new1" },
    });
    expect(JSON.stringify([await audit("top"), await audit("mid1")])).not.toContain(stdout.trim());
  },
  LIMIT_MS,
);

it(
  "shows, approves and denies what waits at a sub-overlord",
  async () => {
    const connection = await fleet.connection();
    const on = await fleet.func(["ca", "approval", "on", "--at", DEEP]);
    expect(on.stderr).toContain(`\nThen here: func ca waiting --at ${DEEP}\n`);
    const unknown = await fleet.func(["ca", "close", "nosuch", "--at", DEEP]);
    expect(unknown.stderr).toContain(`func ca list --at ${DEEP}`);
    const open = await askAt(connection, ["mid1", "mid2"], "overlord/status", {});
    const at = open.certmasterListening ?? "";
    const { caFingerprint = "" } = await askAt(connection, ["mid1", "mid2"], "certmaster/list", {});
    const asking = ["wait1", "wait2"].map(async (name) => {
      const words = ["join", "--ask", at, "--ca-fingerprint", caFingerprint, "--home"];
      return runProgram(fleet.root, "funcd", [...words, await newHome(name)]);
    });
    let list: CertmasterList | undefined;
    await until(async () => {
      list = await askAt(connection, ["mid1", "mid2"], "certmaster/list", {});
      return list.waiting.length === 2;
    });
    const seen = await fleet.func(["ca", "list"]);
    expect(seen.stderr).toContain(`2 requests wait at ${DEEP}: func ca waiting --at ${DEEP}`);
    const here = await fleet.func(["ca", "waiting"]);
    expect(here.stderr).toContain(`2 requests wait at ${DEEP}: func ca waiting --at ${DEEP}`);
    const misplaced = await fleet.func(["ca", "approve", "wait1", "--yes"]);
    expect(misplaced).toMatchObject({ status: 1 });
    expect(misplaced.stderr).toContain(`One waits at ${DEEP}: func ca waiting --at ${DEEP}`);
    const waiting = await fleet.func(["ca", "waiting", "--at", DEEP]);
    expect(waiting.stdout).toContain(list?.waiting[0]?.words);
    expect(waiting.stderr).toContain(`func ca approve NAME --at ${DEEP}`);
    const approved = await fleet.func(["ca", "approve", "wait1", "--yes", "--at", DEEP]);
    expect(approved.status).toBe(0);
    const denied = await fleet.func(["ca", "deny", "wait2", "--at", DEEP]);
    expect(denied.status).toBe(0);
    const [first, second] = await Promise.all(asking);
    expect(first).toMatchObject({ status: 0 });
    expect(second?.status).toBe(1);
    const off = await fleet.func(["ca", "approval", "off", "--at", DEEP]);
    expect(off.stderr).toContain(`(func ca approval on --at ${DEEP})`);
  },
  LIMIT_MS,
);

it("says where the certificate of a host behind a sub-overlord is taken back", async () => {
  for (const words of [["ca", "revoke"], ["ca", "forget"], ["remove-host"]]) {
    const { status, stderr } = await fleet.func([...words, "leaf1", "--yes"]);
    expect(status).not.toBe(0);
    const command = `func ${words.join(" ")} leaf1`;
    expect(stderr).toContain(
      `leaf1 stands behind mid1/mid2, whose overlord signed for it: run "${command}" on mid2.`,
    );
  }
  const { stderr } = await fleet.func(["ca", "revoke", "leaf1", "--at", DEEP]);
  expect(stderr).toContain(`run it on ${DEEP} itself`);
});
