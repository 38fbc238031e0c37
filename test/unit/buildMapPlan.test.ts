import { expect, test } from "vitest";
import { planMap, type PlanOptions } from "../../server/delegation/buildMapPlan";
import type { MapNode } from "../../server/delegation/delegationMap";
import type { ProbedHost } from "../../server/delegation/mapBelow";

const leaf = (name: string): MapNode => ({ name, children: [] });
const LAST: MapNode[] = [
  {
    name: "mid1",
    children: [leaf("web1"), leaf("web2"), { name: "mid2", children: [leaf("db1")] }],
  },
  leaf("web9"),
];

const found = (name: string, ...children: ProbedHost[]): ProbedHost => {
  const outcome = children.length > 0 ? "overlord" : "not-an-overlord";
  return { name, outcome, alive: true, children };
};
const away = (name: string): ProbedHost => {
  return { name, outcome: "not-asked", alive: false, message: "It is down.", children: [] };
};

function plan(hosts: readonly ProbedHost[], options: Partial<PlanOptions>, last = LAST) {
  const { nodes, problems } = planMap(hosts, last, {
    onlyAlive: false,
    append: false,
    seenBehind: () => 0,
    ...options,
  });
  return {
    nodes,
    told: problems.map(({ path, outcome, message }) => [path.join("/"), outcome, message]),
  };
}

test("what stands behind a hop that is away stays, and how many they are is told", () => {
  const { nodes, told } = plan([away("mid1"), away("web9")], {});
  expect(nodes).toEqual(LAST);
  expect(told).toEqual([
    ["mid1", "not-asked", "It is down. The 4 hosts behind it are those of the last map."],
    ["web9", "not-asked", "It is down."],
  ]);
});

test("only alive leaves a hop out with all behind it, and says so; of a leaf it says nothing", () => {
  const { nodes, told } = plan([away("mid1"), away("web9"), found("web3")], { onlyAlive: true });
  expect(nodes).toEqual([leaf("web3")]);
  expect(told).toEqual([
    ["mid1", "not-asked", "It is away: left out, with 4 hosts behind it. It is down."],
  ]);
});

test("a hop further down that is away is told as well", () => {
  const hosts = [found("mid1", found("web1"), away("web2"), away("mid2"))];
  const { nodes, told } = plan(hosts, { onlyAlive: true });
  expect(nodes).toEqual([{ name: "mid1", children: [leaf("web1")] }]);
  expect(told).toEqual([
    ["mid1/mid2", "not-asked", "It is away: left out, with 1 host behind it. It is down."],
  ]);
});

test("a hop that the last map has left out already is told by what was seen behind it", () => {
  const seenBehind = (path: readonly string[]) => (path.join("/") === "mid1" ? 4 : 0);
  const alive = plan([away("mid1"), found("web9")], { onlyAlive: true, seenBehind }, [
    leaf("web9"),
  ]);
  expect(alive.nodes).toEqual([leaf("web9")]);
  expect(alive.told).toMatchObject([["mid1", "not-asked", expect.stringContaining("4 hosts")]]);
  const plain = plan([away("mid1"), found("web9")], { seenBehind }, [leaf("web9")]);
  expect(plain.nodes).toEqual([leaf("mid1"), leaf("web9")]);
  expect(plain.told).toMatchObject([["mid1", "not-asked", expect.stringContaining("4 hosts")]]);
});

test("with append nothing of the last map is left out", () => {
  const { told } = plan([away("mid1"), found("web9")], { onlyAlive: true, append: true });
  expect(told).toEqual([
    ["mid1", "not-asked", "It is down. The 4 hosts behind it are those of the last map."],
  ]);
});

test("a hop that is alive but tells nothing stands there alone, and says what is left out", () => {
  const deaf: ProbedHost = { ...away("mid1"), alive: true };
  const { nodes, told } = plan([deaf, found("web9")], { onlyAlive: true });
  expect(nodes).toEqual([leaf("mid1"), leaf("web9")]);
  expect(told).toEqual([["mid1", "not-asked", "It is down. Left out: 4 hosts behind it."]]);
});

test("a hop whose minions are all away has none that answer", () => {
  const { nodes, told } = plan([found("mid1", away("web1"))], { onlyAlive: true });
  expect(nodes).toEqual([leaf("mid1")]);
  expect(told).toMatchObject([["mid1", "no-minions", expect.stringContaining("without minions")]]);
});
