import { expect, test } from "vitest";
import { mapTree } from "../../server/cli/mapTree";
import type { DelegationMapNode } from "../../server/protocol/delegation";

const host = (name: string, ...children: DelegationMapNode[]): DelegationMapNode => ({
  name,
  children,
});
const hosts = (count: number, name: string) =>
  Array.from({ length: count }, (_, index) => host(`${name}${String(index + 1).padStart(3, "0")}`));

test("a map is a tree with the beginning of each key, and how many stand behind each", () => {
  const db1 = { ...host("db1"), identity: "0123456789abcdef".repeat(4) };
  const map = [host("mid1", host("mid3", db1, host("db2")), host("web1")), host("web9")];
  const tree = [
    "mid1  (4 hosts)",
    "├─ mid3  (2 hosts)",
    "│  ├─ db1  0123456789ab",
    "│  └─ db2",
    "└─ web1",
    "web9",
    "",
  ].join("\n");
  expect(mapTree(map)).toBe(tree);
  expect(mapTree(map, 80)).toBe(tree);
});

test("hundreds of hosts stand in columns in a terminal, each on its line elsewhere", () => {
  const map = [host("mid1", ...hosts(3, "a"), host("mid3", host("db1")), ...hosts(97, "web"))];
  expect(mapTree(map).split("\n")).toHaveLength(104);
  const lines = mapTree(map, 80).trimEnd().split("\n");
  expect(lines.slice(0, 4)).toEqual([
    "mid1  (102 hosts)",
    "├─ mid3  (1 host)",
    "│  └─ db1",
    "└─ a001    web010  web022  web034  web046  web058  web070  web082  web094",
  ]);
  expect(lines).toHaveLength(3 + Math.ceil(100 / 9));
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
  expect(lines.join(" ").match(/[a-z]+\d{3}/g)).toHaveLength(100);
  // names that are wider than the terminal
  expect(mapTree(hosts(13, "x".repeat(90)), 80).split("\n")).toHaveLength(14);
});
