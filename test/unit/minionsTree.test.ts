import { describe, expect, it, vi } from "vitest";
import type { OverlordSession } from "../../extension/overlordSession";
import { BehindModel } from "../../extension/views/behindModel";
import { GroupsModel } from "../../extension/views/groupsModel";
import { MinionsModel } from "../../extension/views/minionsModel";
import { MinionsTree } from "../../extension/views/minionsTree";
import { nodeSpec, type TreeNode } from "../../extension/views/treeNode";
import { FuncError } from "../../server/common/errors";
import type { DelegationMapNode, MapNodeState } from "../../server/protocol/delegation";
import type { GroupRecord } from "../../server/protocol/groups";
import type { MinionRecord } from "../../server/protocol/minions";

vi.mock("vscode", () => import("../fixtures/vscodeStub"));

function record(name: string): MinionRecord {
  return {
    name,
    address: "10.0.0.1",
    port: 51234,
    state: "online",
    enrolledAtMs: 0,
    keyFingerprint: "",
    certificateSerial: "",
    certificateNotAfterMs: 0,
  };
}

/** A tree on an overlord that knows these minions and groups; `asked` are its requests. */
async function treeOf(
  names: string[],
  groups: GroupRecord[] | FuncError,
  nodes: DelegationMapNode[] = [],
  states: MapNodeState[] = [],
) {
  const asked: string[] = [];
  const minions = new MinionsModel();
  minions.replace(names.map(record));
  const answer = (method: string, params: { spec?: string }): unknown => {
    if (method === "map/read") return { file: "map", nodes, changedAtMs: 0 };
    if (method === "map/states") return { states };
    asked.push(`${method} ${params.spec ?? ""}`.trim());
    if (method === "groups/list") {
      if (groups instanceof FuncError) throw groups;
      return groups;
    }
    const form = new RegExp(`^${(params.spec ?? "").replaceAll("*", ".*")}$`);
    const matched = names.filter((name) => form.test(name));
    if (matched.length === 0) throw new FuncError("no-match", "nothing");
    return { names: matched };
  };
  const session = {
    request: async (method: string, params: { spec?: string }) => answer(method, params),
    onMapChanged: () => ({ dispose: () => undefined }),
    onJobsChanged: () => ({ dispose: () => undefined }),
  } as unknown as OverlordSession;
  const model = new GroupsModel(session, minions);
  await model.load();
  const behind = new BehindModel(session);
  await behind.load();
  const tree = new MinionsTree(minions, model, behind, () => Promise.resolve());
  return { tree, model, minions, asked };
}

async function open(tree: MinionsTree, ...labels: string[]): Promise<TreeNode[]> {
  let nodes = await tree.getChildren();
  for (const label of labels) {
    const items = await Promise.all(nodes.map((node) => tree.getTreeItem(node)));
    const at = items.findIndex((item) => item.label === label);
    nodes = await tree.getChildren(nodes[at]);
  }
  return nodes;
}

async function shown(tree: MinionsTree, nodes: TreeNode[]): Promise<string[]> {
  const items = await Promise.all(nodes.map((node) => tree.getTreeItem(node)));
  return items.map((item) => `${item.label as string} | ${item.description as string}`);
}

describe("MinionsTree", () => {
  it("has below a sub-overlord those that stand behind it, as they were last seen", async () => {
    const leaf = (name: string): DelegationMapNode => ({ name, children: [] });
    const mid3 = { name: "mid3", children: [leaf("deep1")] };
    const { tree } = await treeOf(
      ["mid1", "own"],
      [],
      [{ name: "Mid1", children: [leaf("web2"), leaf("web1"), mid3] }, leaf("own")],
      [
        { path: ["mid1", "web1"], state: "online", running: 0 },
        { path: ["mid1", "web2"], state: "unreachable", problem: "refused", running: 0 },
      ],
    );
    const top = await tree.getChildren();
    expect(await shown(tree, top)).toEqual([
      "mid1 | 4 minions · online · 10.0.0.1:51234",
      "own | online · 10.0.0.1:51234",
    ]);
    const [mid1, own] = await Promise.all(top.map((node) => tree.getTreeItem(node)));
    expect([mid1?.contextValue, own?.contextValue]).toEqual([
      "minion;online;overlord",
      "minion;online",
    ]);
    expect([mid1?.collapsibleState, own?.collapsibleState]).toEqual([1, 0]);
    const below = await open(tree, "mid1");
    expect(await shown(tree, below)).toEqual([
      "mid3 | 1 minion · not called yet",
      "web1 | online",
      "web2 | unreachable: refused",
    ]);
    const [deep] = await open(tree, "mid1", "mid3");
    expect(deep).toMatchObject({ kind: "behind", path: ["mid1", "mid3", "deep1"] });
  });

  it("says of hosts behind a sub-overlord that is away that this is why", async () => {
    const mid3 = { name: "mid3", children: [{ name: "web1", children: [] }] };
    const { tree } = await treeOf(
      ["mid1"],
      [],
      [{ name: "mid1", children: [mid3] }],
      [
        { path: ["mid1", "mid3"], state: "unreachable", problem: "refused", running: 0 },
        { path: ["mid1", "mid3", "web1"], state: "unreachable", problem: "no way", running: 0 },
      ],
    );
    expect(await shown(tree, await open(tree, "mid1"))).toEqual([
      "mid3 | 1 minion · unreachable: refused",
    ]);
    const below = await open(tree, "mid1", "mid3");
    expect(await shown(tree, below)).toEqual(["web1 | unreachable, as mid3 is"]);
    const [web1] = await Promise.all(below.map((node) => tree.getTreeItem(node)));
    expect(web1?.tooltip).toContain("unreachable: no way");
  });

  it("shows very many behind one sub-overlord in parts, and no two rows with the same id", async () => {
    const children = Array.from({ length: 2_500 }, (_, at) => ({
      name: `web${String(at).padStart(4, "0")}`,
      children: [],
    }));
    const { tree } = await treeOf(
      ["mid1"],
      [{ name: "all", hosts: ["mid1"] }],
      [{ name: "mid1", children }],
    );
    const parts = await open(tree, "mid1");
    expect(parts.length).toBeLessThanOrEqual(1_000);
    expect(parts.every(({ kind }) => kind === "part")).toBe(true);
    const [first] = parts;
    const rows = await tree.getChildren(first);
    expect(rows[0]).toMatchObject({ kind: "behind", path: ["mid1", "web0000"] });
    const inGroup = await open(tree, "Groups", "all", "mid1");
    const ids = await Promise.all(
      [...parts, ...inGroup].map(async (node) => (await tree.getTreeItem(node)).id),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("has no section of groups where there are none, or no minions", async () => {
    const { tree } = await treeOf(["web1"], []);
    expect((await tree.getChildren()).map(({ kind }) => kind)).toEqual(["minion"]);
    const empty = await treeOf([], [{ name: "web", hosts: ["web1"] }]);
    expect(await empty.tree.getChildren()).toEqual([]);
  });

  it("lists groups first, with counts, their globs and their hosts", async () => {
    const { tree } = await treeOf(
      ["db1", "web1", "web2"],
      [
        { name: "all", hosts: ["web*", "db1", "gone"] },
        { name: "none", hosts: ["x*"] },
      ],
    );
    expect(await shown(tree, await open(tree))).toEqual([
      "Groups | 2",
      ...["db1", "web1", "web2"].map((name) => `${name} | online · 10.0.0.1:51234`),
    ]);
    expect(await shown(tree, await open(tree, "Groups"))).toEqual([
      "all | 3 minions",
      "none | 0 minions",
    ]);
    expect(await shown(tree, await open(tree, "Groups", "all"))).toEqual([
      "web* | 2 minions",
      "db1 | online · 10.0.0.1:51234",
      "gone | not enrolled",
    ]);
    expect(await shown(tree, await open(tree, "Groups", "all", "web*"))).toEqual([
      "web1 | online · 10.0.0.1:51234",
      "web2 | online · 10.0.0.1:51234",
    ]);
  });

  it("gives every row an id of its own, and says what can be taken out of a group", async () => {
    const { tree } = await treeOf(["web1"], [{ name: "g", hosts: ["web*", "web1"] }]);
    const rows = [
      ...(await open(tree)),
      ...(await open(tree, "Groups", "g")),
      ...(await open(tree, "Groups", "g", "web*")),
    ];
    const items = await Promise.all(rows.map((row) => tree.getTreeItem(row)));
    expect(new Set(items.map(({ id }) => id)).size).toBe(items.length);
    expect(items.map(({ contextValue }) => contextValue)).toEqual([
      "groups",
      "minion;online",
      "pattern;entry",
      "minion;online;entry",
      "minion;online",
    ]);
    expect(rows.map(nodeSpec)).toEqual([undefined, "web1", "web*", "web1", "web1"]);
  });

  it("says in place why groups cannot be read", async () => {
    const problem = new FuncError("bad-data", "/data/groups:3: expected [GROUP].");
    const { tree } = await treeOf(["web1"], problem);
    const [row] = await open(tree, "Groups");
    expect(row).toMatchObject({ kind: "problem", name: problem.message });
    const item = row && (await tree.getTreeItem(row));
    expect(item?.command?.command).toBe("func.openGroupsFile");
    expect(await tree.getChildren()).toHaveLength(2);
  });

  it("refreshes a minion wherever it stands", async () => {
    const { tree } = await treeOf(["web1"], [{ name: "g", hosts: ["web1"] }]);
    await open(tree);
    await open(tree, "Groups", "g");
    const fired = new Promise<TreeNode[] | undefined>((resolve) =>
      tree.onDidChangeTreeData(resolve),
    );
    tree.refresh(["web1"]);
    expect((await fired)?.map(({ group }) => group)).toEqual([undefined, "g"]);
    tree.dispose();
  });

  it("counts a group's minions beside a host that is none", async () => {
    const { tree } = await treeOf(
      ["web1", "web2", "db1"],
      [{ name: "all", hosts: ["web*", "db1", "db9"] }],
    );
    const [group] = await open(tree, "Groups");
    if (!group) throw new Error("no group");
    expect(await tree.namesIn(group)).toEqual(["db1", "web1", "web2"]);
  });

  it("asks nothing for groups of names, and once for each with globs", async () => {
    const names = Array.from({ length: 10_000 }, (_, i) => `web-${String(i).padStart(5, "0")}`);
    const { tree, asked } = await treeOf(names, [
      { name: "globs", hosts: ["web-0*"] },
      { name: "names", hosts: names },
    ]);
    for (const node of await open(tree)) await tree.getTreeItem(node);
    expect(asked).toEqual(["groups/list"]);
    for (let i = 0; i < 3; i++) await shown(tree, await open(tree, "Groups"));
    expect(asked).toEqual(["groups/list", "minions/match web-0*"]);
    const folders = await open(tree, "Groups", "names");
    expect(folders.length).toBeLessThanOrEqual(1_000);
    const members = await Promise.all(folders.map((folder) => tree.namesIn(folder)));
    expect(members.flat()).toEqual(names);
  });
});

it("groups are asked for once more, and not more often, when they change while they are asked for", async () => {
  const answers: ((groups: GroupRecord[]) => void)[] = [];
  const session = {
    request: () => new Promise<GroupRecord[]>((resolve) => answers.push(resolve)),
  } as unknown as OverlordSession;
  const model = new GroupsModel(session, new MinionsModel());
  const loads = Array.from({ length: 5 }, () => model.load());
  expect(answers).toHaveLength(1);
  answers[0]?.([]);
  expect(await loads[0]).toBe(false);
  await vi.waitFor(() => {
    expect(answers).toHaveLength(2);
  });
  answers[1]?.([{ name: "web", hosts: ["web1"] }]);
  expect(await Promise.all(loads.slice(1))).toEqual([true, true, true, true]);
  expect(model.records.map(({ name }) => name)).toEqual(["web"]);
  expect(answers).toHaveLength(2);
  const later = model.load();
  expect(answers).toHaveLength(3);
  answers[2]?.([]);
  expect(await later).toBe(true);
});
