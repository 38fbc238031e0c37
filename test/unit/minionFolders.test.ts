import { describe, expect, it } from "vitest";
import { minionNodes, type MinionNode } from "../../extension/views/minionFolders";

function leaves(nodes: MinionNode[], limit: number): string[] {
  expect(nodes.length).toBeLessThanOrEqual(limit);
  return nodes.flatMap((node) =>
    node.kind === "minion"
      ? [node.name]
      : leaves(minionNodes(node.names, node.prefix, limit), limit),
  );
}

describe("minionNodes", () => {
  it("shows few minions as they are", () => {
    expect(minionNodes(["a", "b"])).toEqual([
      { kind: "minion", name: "a" },
      { kind: "minion", name: "b" },
    ]);
  });

  it("keeps every level within the limit and loses nobody", () => {
    const names = Array.from({ length: 10_000 }, (_, i) => `web-${String(i).padStart(5, "0")}`);
    names.push("db", "gateway", "web");
    names.sort();
    expect(leaves(minionNodes(names), 1_000)).toEqual(names);
  });

  it("goes beyond what all names share", () => {
    const names = Array.from({ length: 30 }, (_, i) => `node${String(i).padStart(2, "0")}`);
    const nodes = minionNodes(names, "", 10);
    expect(nodes.map((node) => node.kind === "folder" && node.prefix)).toEqual([
      "node0",
      "node1",
      "node2",
    ]);
  });
});
