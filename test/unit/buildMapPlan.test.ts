import { expect, test } from "vitest";
import { planMap } from "../../server/delegation/buildMapPlan";
import type { MapNode } from "../../server/delegation/delegationMap";
import type { ProbedHost } from "../../server/delegation/mapBelow";
import type { NotAskedOptions } from "../../server/delegation/notAskedText";
import type { SeenBehind } from "../../server/delegation/seenHosts";

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

const ON = ", last on 2026-01-31 12:00 UTC";

const seenAt =
  (hop: string, hosts: number) =>
  (path: readonly string[]): SeenBehind =>
    path.join("/") === hop
      ? { hosts, direct: [], atMs: Date.UTC(2026, 0, 31, 12) }
      : { hosts: 0, direct: [] };

function plan(hosts: readonly ProbedHost[], options: Partial<NotAskedOptions>, last = LAST) {
  const { nodes, problems } = planMap(hosts, last, {
    onlyAlive: false,
    append: false,
    lastMap: "good",
    seenBehind: () => ({ hosts: 0, direct: [] }),
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
    ["mid1", "not-asked", "The 4 hosts behind it are those of the last map. It is down."],
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
  const mid2 = { ...away("mid2"), nextStep: "Start it." };
  const hosts = [found("mid1", found("web1"), away("web2"), mid2)];
  const { nodes, told } = plan(hosts, { onlyAlive: true });
  expect(nodes).toEqual([{ name: "mid1", children: [leaf("web1")] }]);
  expect(told).toEqual([
    [
      "mid1/mid2",
      "not-asked",
      "It is away: left out, with 1 host behind it. It is down. At mid1: Start it.",
    ],
  ]);
});

test("a hop that the last map has left out already is told by what was seen behind it", () => {
  const seenBehind = seenAt("mid1", 4);
  const alive = plan([away("mid1"), found("web9")], { onlyAlive: true, seenBehind }, [
    leaf("web9"),
  ]);
  expect(alive.nodes).toEqual([leaf("web9")]);
  expect(alive.told).toEqual([
    ["mid1", "not-asked", `It is away: left out; 4 hosts were seen behind it${ON}. It is down.`],
  ]);
  const plain = plan([away("mid1"), found("web9")], { seenBehind }, [leaf("web9")]);
  expect(plain.nodes).toEqual([leaf("mid1"), leaf("web9")]);
  expect(plain.told).toEqual([
    [
      "mid1",
      "not-asked",
      `It stands in the map without hosts, since the last one lacks it; 4 hosts were seen behind it${ON}. It is down.`,
    ],
  ]);
});

test("what became of a hop that is away is right whatever became of the last map", () => {
  const seenBehind = seenAt("mid1", 4);
  const told = (options: Partial<NotAskedOptions>, last: MapNode[]) =>
    plan([away("mid1")], { seenBehind, ...options }, last).told[0]?.[2]?.replace(
      "4 hosts were seen behind it, last on 2026-01-31 12:00 UTC",
      "4 seen",
    );
  const some = [{ name: "mid1", children: [leaf("web1")] }];
  expect([
    told({}, some),
    told({ lastMap: "last-good" }, LAST),
    told({ lastMap: "none" }, []),
    told({ lastMap: "damaged" }, []),
    told({ lastMap: "none", append: true }, []),
    told({ onlyAlive: true, lastMap: "none" }, []),
    told({ onlyAlive: true, append: true }, [leaf("mid1")]),
    told({ onlyAlive: true, append: true }, []),
  ]).toEqual([
    "The host behind it is the one of the last map; 4 seen. It is down.",
    "The 4 hosts behind it are those of the last good map. It is down.",
    "It stands in the map without hosts, since there was no map before; 4 seen. It is down.",
    "It stands in the map without hosts, since the map before was damaged; 4 seen. It is down.",
    "It stands in the map without hosts, since there was no map before; 4 seen. It is down.",
    "It is away: left out; 4 seen. It is down.",
    "It stands in the map without hosts, as in the last map; 4 seen. It is down.",
    "It is away: left out; 4 seen. It is down.",
  ]);
});

test("what hops told is noted; of leaves it is only where they were hops", () => {
  const native = (host: ProbedHost): ProbedHost => ({ ...host, native: true, identity: "a" });
  const hosts = [
    native(found("mid1", native(found("web1")), native(found("mid2", away("db1"))))),
    native(found("once")),
    { ...found("old", found("o1", found("o2"))), native: false, identity: "b" },
    away("mid9"),
  ];
  const { tellings } = planMap(hosts, [], {
    onlyAlive: false,
    append: false,
    lastMap: "none",
    seenBehind: seenAt("once", 1),
  });
  expect(tellings).toEqual([
    { path: ["mid1"], names: ["web1", "mid2"], hosts: 2, isWhole: true },
    { path: ["mid1", "mid2"], names: ["db1"], hosts: 1, isWhole: true },
    { path: ["once"], names: [], hosts: 0, isWhole: true },
    { path: ["old"], names: ["o1"], hosts: 2, isWhole: false },
  ]);
});

test("with append nothing of the last map is left out", () => {
  const { told } = plan([away("mid1"), found("web9")], { onlyAlive: true, append: true });
  expect(told).toEqual([
    ["mid1", "not-asked", "The 4 hosts behind it are those of the last map. It is down."],
  ]);
});

test("a hop that is alive but tells nothing stands there alone, and says what is left out", () => {
  const deaf: ProbedHost = { ...away("mid1"), alive: true };
  const { nodes, told } = plan([deaf, found("web9")], { onlyAlive: true });
  expect(nodes).toEqual([leaf("mid1"), leaf("web9")]);
  expect(told).toEqual([["mid1", "not-asked", "The 4 hosts behind it are left out. It is down."]]);
});

test("a hop whose minions are all away has none that answer", () => {
  const { nodes, told } = plan([found("mid1", away("web1"))], { onlyAlive: true });
  expect(nodes).toEqual([leaf("mid1")]);
  expect(told).toMatchObject([["mid1", "no-minions", expect.stringContaining("without minions")]]);
});
