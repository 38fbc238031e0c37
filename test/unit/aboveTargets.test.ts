import { describe, expect, it } from "vitest";
import { divideTargets } from "../../server/delegation/aboveTargets";
import type { MinionRecord } from "../../server/protocol/minions";

const own = ["leaf1", "mid3", "web1"];

const inventory = {
  find: (name: string): MinionRecord | undefined => (own.includes(name) ? record(name) : undefined),
};

function record(name: string): MinionRecord {
  const place = { address: "192.0.2.1", port: 51234, state: "unknown" as const, enrolledAtMs: 0 };
  const certificate = { keyFingerprint: "", certificateSerial: "", certificateNotAfterMs: 0 };
  return { name, ...place, ...certificate };
}

function divided(...paths: string[][]) {
  const { minions, behind, targets } = divideTargets(
    paths.map((path) => ({ path })),
    inventory,
  );
  return {
    minions: minions.map(({ name }) => name),
    behind: behind.map(({ name, path }) => [name, ...path]),
    names: [...targets.keys()],
  };
}

describe("the targets of an overlord above", () => {
  it("are own minions, or stand behind the next hop", () => {
    expect(divided(["leaf1"], ["mid3", "leaf3"], ["MID3", "Leaf4"], ["mid3"])).toEqual({
      minions: ["leaf1", "mid3"],
      behind: [
        ["leaf3", "mid3", "leaf3"],
        ["leaf4", "mid3", "leaf4"],
      ],
      names: ["leaf1", "leaf3", "leaf4", "mid3"],
    });
  });

  it("keep their place where nobody knows them here", () => {
    expect(divided(["leaf1"], ["leaf9"])).toEqual({
      minions: ["leaf1"],
      behind: [["leaf9", "leaf9"]],
      names: ["leaf1", "leaf9"],
    });
  });

  it("are told apart where they have one name", () => {
    expect(divided(["web1"], ["mid3", "web1"], ["mid3", "mid4", "web1"]).names).toEqual([
      "web1",
      "web1@mid3",
      "web1@mid4@mid3",
    ]);
  });

  it("are refused where one comes twice", () => {
    const twice = () => divided(["web1"], ["WEB1"]);
    expect(twice).toThrow("web1 was named twice");
  });
});
