import { mkdir, readFile, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { DelegatedResult } from "../../server/protocol/delegation";
import type { MinionResult } from "../../server/protocol/jobs";
import { LyingHop } from "../fixtures/lyingHop";
import { startTreeFleet, type TreeFleet } from "../fixtures/treeFleet";

const LIMIT_MS = 180_000;
const FAILED = "func.wrong-identity";

let fleet: TreeFleet;
let hop: LyingHop;

beforeAll(async () => {
  fleet = await startTreeFleet({ tiers: [1, 2] });
  await fleet.writeMap();
  // their keys are seen for the first time
  const first = await echo("first");
  expect(first.get("leaf1")).toMatchObject({ value: "first", signed: "first" });
  hop = await LyingHop.before(fleet, "mid1");
}, LIMIT_MS);

afterEach(() => {
  hop.reform();
});

afterAll(async () => {
  await hop.close();
  await fleet.close();
}, LIMIT_MS);

function echo(text: string, isAsync = false): Promise<Map<string, MinionResult>> {
  const call = { module: "test", method: "echo", args: [text], async: isAsync };
  return fleet.call({ ...call, spec: "leaf*", delegate: true });
}

/** Changes the final results of one host. */
function of(minion: string, change: (result: DelegatedResult) => DelegatedResult | undefined) {
  return (results: DelegatedResult[]): DelegatedResult[] =>
    results.flatMap((result) => {
      if (result.minion !== minion || result.state !== "succeeded") return [result];
      return change(result) ?? [];
    });
}

describe("a sub-overlord that passes everything on", () => {
  it(
    "is believed, sync and async",
    async () => {
      for (const isAsync of [false, true]) {
        const results = await echo("hello", isAsync);
        for (const name of ["leaf1", "leaf2"]) {
          const told = { state: "succeeded", value: "hello", signed: "yes", via: ["mid1"] };
          expect(results.get(name)).toMatchObject(told);
        }
      }
    },
    LIMIT_MS,
  );
});

describe("a sub-overlord that lies", () => {
  async function refused(minion = "leaf1", isAsync = false): Promise<void> {
    const results = await echo(`text ${Math.random()}`, isAsync);
    const other = minion === "leaf1" ? "leaf2" : "leaf1";
    expect(results.get(other)).toMatchObject({ state: "succeeded", signed: "yes" });
    const result = results.get(minion);
    expect(result).toMatchObject({ state: "failed", mayHaveRun: true });
    expect(result?.value).toBeUndefined();
    expect(result?.error?.message).toContain("mid1");
  }

  it(
    "is found out where it invents or alters a result, or leaves the signature out",
    async () => {
      hop.tell = of("leaf1", (result) => ({ ...result, value: "invented" }));
      await refused();
      await refused("leaf1", true);
      hop.tell = of("leaf1", (result) => {
        delete result.receipt;
        return result;
      });
      await refused();
      const error = { type: "exceptions.ValueError", message: "no", trace: "" };
      hop.tell = of("leaf2", ({ value, ...result }) => ({ ...result, state: "failed", error }));
      const results = await echo("fails");
      expect(results.get("leaf2")?.error).toMatchObject({ type: FAILED });
    },
    LIMIT_MS,
  );

  it(
    "is found out where it gives one host's result for another's, or an earlier one",
    async () => {
      let earlier: DelegatedResult | undefined;
      hop.tell = of("leaf1", (result) => (earlier = result));
      await echo("earlier");
      hop.tell = of("leaf1", (result) => ({
        ...result,
        value: earlier?.value ?? null,
        ...(earlier?.receipt && { receipt: earlier.receipt }),
      }));
      await refused();
      hop.tell = (results) => {
        const two = results.find(({ minion, receipt }) => minion === "leaf2" && receipt);
        if (!two) return results;
        const { value, receipt } = two;
        return of("leaf1", (result) => ({
          ...result,
          ...(value !== undefined && { value }),
          ...(receipt && { receipt: { ...receipt, callId: result.callId } }),
        }))(results);
      };
      const results = await echo("relabelled");
      const one = results.get("leaf1");
      expect(one?.state === "failed" || one?.signed === "yes").toBe(true);
    },
    LIMIT_MS,
  );

  it(
    "is named where it drops a result",
    async () => {
      hop.tell = (results) => results.filter(({ minion }) => minion !== "leaf1");
      const results = await echo("dropped");
      expect(results.get("leaf1")).toMatchObject({ state: "failed", mayHaveRun: true });
      expect(results.get("leaf1")?.error?.message).toContain("mid1 did not answer for leaf1");
      expect(results.get("leaf2")).toMatchObject({ value: "dropped" });
    },
    LIMIT_MS,
  );

  it(
    "cannot have anything else run in the originator's name",
    async () => {
      const file = join(fleet.root, "altered");
      hop.passOn = (request) => ({
        ...request,
        call: {
          ...request.call,
          text: request.call.text
            .replace("test.echo", "command.run")
            .replace('"harmless"', JSON.stringify(`touch ${file}`)),
        },
      });
      const results = await echo("harmless");
      for (const result of results.values()) expect(result.state).not.toBe("succeeded");
      expect(existsSync(file)).toBe(false);
    },
    LIMIT_MS,
  );
});

describe("access rules in a tree", () => {
  const call = { module: "command", method: "run", args: ["true"], delegate: true };

  async function rules(minion: string, text: string): Promise<void> {
    const folder = join(fleet.homeOf(minion), "acls");
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "test.acl.yaml"), text);
  }

  /** That file is written as JSON by the fixture. */
  async function access(minion: string, presets: object): Promise<void> {
    const file = join(fleet.homeOf(minion), "minion.yaml");
    const configuration = JSON.parse(await readFile(file, "utf8")) as object;
    await writeFile(file, JSON.stringify({ ...configuration, access: presets }));
  }

  async function statesOf(isAsync: boolean): Promise<(string | undefined)[]> {
    const results = await fleet.call({ ...call, async: isAsync, spec: "leaf*" });
    return ["leaf1", "leaf2"].map((name) => results.get(name)?.state);
  }

  it(
    "of a leaf deny its originator what they deny, sync and async, and the sub-overlord passes that on",
    async () => {
      await rules("leaf1", "allow: []\n");
      await access("leaf1", { originators: "read-only" });
      for (const isAsync of [false, true]) {
        await expect
          .poll(() => statesOf(isAsync), { timeout: 30_000 })
          .toEqual(["denied", "succeeded"]);
      }
      await access("leaf1", { originators: "full" });
      await expect
        .poll(() => statesOf(false), { timeout: 30_000 })
        .toEqual(["succeeded", "succeeded"]);
    },
    LIMIT_MS,
  );

  it(
    "of a sub-overlord's host deny what they deny there to be passed on",
    async () => {
      const passed = '["delegation.*", "jobs.*", "test.*"]';
      await rules("mid1", `allow: [{roles: [overlord], methods: ${passed}}]\n`);
      await access("mid1", { overlord: "none" });
      const methods = async (): Promise<(string | undefined)[]> => {
        const states = await statesOf(false);
        return [...states, (await echo("passes")).get("leaf1")?.state];
      };
      await expect
        .poll(methods, { timeout: 60_000, interval: 1_500 })
        .toEqual(["denied", "denied", "succeeded"]);
      await access("mid1", { overlord: "full" });
      await expect
        .poll(methods, { timeout: 60_000, interval: 1_500 })
        .toEqual(["succeeded", "succeeded", "succeeded"]);
    },
    LIMIT_MS,
  );
});
