import { expect, test } from "vitest";
import { checkMap, type KnownHosts } from "../../server/delegation/checkMap";
import type { HostIdentity } from "../../server/delegation/identitiesText";
import { SeenHosts } from "../../server/delegation/seenHosts";
import type { MinionRecord } from "../../server/protocol/minions";

const placed = (text: string, known?: KnownHosts) =>
  checkMap(text, known).map(({ line, column, severity }) => [line, column, severity]);

const AT = Date.UTC(2026, 0, 31, 12);

/**
 * An overlord with these minions, that has seen hosts at these paths; "!" marks those of the original, "-" those that
 * are gone, "=5" hops that have told of five.
 */
function knowing(minions: readonly string[], paths: readonly string[], isOwn = false): KnownHosts {
  const list = minions.map((name) => ({ name }) as MinionRecord);
  const seen = new Map<string, HostIdentity>();
  for (const marked of paths) {
    const [, name = "", native, gone, told] = /^([^!=-]*)(!?)(-?)=?(.*)$/.exec(marked) ?? [];
    const path = name.split("/");
    seen.set(name, {
      path,
      key: "a".repeat(64),
      native: native === "",
      firstSeenMs: 0,
      ...(gone !== "" && { goneSinceMs: AT }),
      ...(told !== "" && { told: { hosts: Number(told), atMs: AT } }),
    });
  }
  const hosts = new SeenHosts(seen.values());
  return {
    inventory: { find: (name) => list.find((one) => one.name === name), list: () => list },
    seen: {
      problem: undefined,
      find: (path) => seen.get(path.join("/")),
      seenBehind: (path) => hosts.behind(path),
    },
    isOwn,
  };
}

const TREE = knowing(["mid1", "leaf1"], ["mid1", "leaf1", "mid1/leaf1", "mid1/web1"]);

test("nothing is said of a map that is right", () => {
  const text = "---\nmid1:\n    leaf1: {}\n    web1: {}\nleaf1: {}\n";
  expect(checkMap(text)).toEqual([]);
  expect(checkMap(text, TREE)).toEqual([]);
});

test("every error is told with its place, not only the first", () => {
  const text = "mid1:\n    leaf1:\n    web1: 5\n    web1: {}\nleaf1: []\n";
  expect(placed(text, TREE)).toEqual([
    [2, 11, "error"],
    [3, 11, "error"],
    [4, 5, "error"],
    [5, 8, "error"],
  ]);
  expect(checkMap(text)[2]).toMatchObject({ length: 4 });
});

test("what YAML itself does not take is told with its place", () => {
  expect(checkMap("mid1: {\n")).toMatchObject([{ line: 2, severity: "error" }]);
  expect(checkMap("mid1:\n\tleaf1: {}\n")[0]).toMatchObject({ line: 2, severity: "error" });
});

test("a host above itself, and a name of no host, are strange without an overlord, too", () => {
  const problems = checkMap("mid1:\n    mid1:\n        leaf1: {}\nweb9: {}\nMinion 2: {}\n");
  expect(problems.map(({ line, severity, message }) => [line, severity, message])).toEqual([
    [
      2,
      "warning",
      "mid1 -> mid1 is a cycle, which begins in line 1 and ends here; what is behind mid1 here is not needed.",
    ],
    [5, "warning", expect.stringContaining("no name") as string],
  ]);
});

test("who is no minion at the top is an error, hop or leaf", () => {
  const text = "mid1:\n    leaf1: {}\nweb9: {}\nMID9:\n    leaf1: {}\n";
  const problems = checkMap(text, TREE).filter(({ severity }) => severity === "error");
  expect(problems.map(({ line, column, length }) => [line, column, length])).toEqual([
    [3, 1, 4],
    [4, 1, 4],
  ]);
  expect(problems[0]?.message).toContain("web9 is no minion of this overlord");
});

test("hosts that never showed a key are strange, and hops that nobody found anyone behind", () => {
  const text = "mid1:\n    leaf1: {}\n    web7: {}\nleaf1:\n    web8: {}\n";
  expect(
    checkMap(text, TREE).map(({ line, column, severity, message }) => [
      line,
      column,
      severity,
      message,
    ]),
  ).toEqual([
    [3, 5, "warning", expect.stringContaining("behind mid1") as string],
    [4, 1, "warning", expect.stringContaining("not known to be a sub-overlord") as string],
    [5, 5, "warning", expect.stringContaining("web8 has never shown a key") as string],
  ]);
});

test("a hop that has lost all hosts behind it is strange", () => {
  expect(checkMap("mid1: {}\nleaf1: {}\n", TREE)).toMatchObject([
    {
      line: 1,
      column: 1,
      message:
        "mid1 has nobody behind it here, where 2 hosts were seen: leaf1, web1. Unless they were taken out on purpose: func build-map.",
    },
  ]);
});

const warned = (text: string, known: KnownHosts) =>
  checkMap(text, known).map(({ line, message }) => [line, message.replace(/ Unless .*/, "")]);

test("a map that was cut off at a line's end lacks hosts that were seen, by name", () => {
  const leaves = Array.from({ length: 9 }, (_, index) => `mid1/web${index}`);
  const known = knowing(
    ["mid1", "mid2"],
    ["mid1=10", "mid1/mid3=2", "mid1/mid3/db1", "mid1/mid3/db2", ...leaves, "mid2", "mid2/x"],
    true,
  );
  expect(warned("---\nmid1:\n    web0: {}\n    web1: {}\n", known)).toEqual([
    [0, "of this overlord's minions mid2 (with 1 host behind it) does not stand in the map."],
    [
      2,
      "of the 10 hosts that were seen directly behind mid1, last on 2026-01-31 12:00 UTC, 8 are not in the map: " +
        "mid3 (with 2 hosts behind it), web2, web3, web4, web5, 3 more.",
    ],
  ]);
  // a map of one's own choice may have any of them
  expect(checkMap("mid1:\n    web0: {}\n", { ...known, isOwn: false })).toEqual([]);
});

test("hosts that a sub-overlord tells of no more are not missed; in the map they are strange", () => {
  const known = knowing(["mid1"], ["mid1=1", "mid1/leaf1", "mid1/web1-"], true);
  expect(warned("mid1:\n    leaf1: {}\n", known)).toEqual([]);
  expect(warned("mid1:\n    leaf1: {}\n    web1: {}\n", known)).toEqual([
    [3, "web1 is no minion of mid1 any more, as that told on 2026-01-31 12:00 UTC."],
  ]);
});

test("of a hop of the original the number tells that hosts are missing", () => {
  const known = knowing(["mid1"], ["mid1!=3"], true);
  expect(warned("mid1:\n    a: {}\n    b: {}\n    c: {}\n", known)).toEqual([]);
  expect(warned("mid1:\n    a: {}\n    b: {}\n", known)).toEqual([
    [1, "mid1 has 2 behind it here, where 3 hosts were seen, last on 2026-01-31 12:00 UTC."],
  ]);
});

test("a cycle is named, with the lines where it begins and ends", () => {
  const text = "top1:\n  mid1:\n    mid2:\n      mid1:\n        leaf1: {}\n";
  expect(checkMap(text)).toMatchObject([
    {
      line: 4,
      column: 7,
      message: expect.stringMatching(/^mid1 -> mid2 -> mid1 is .* line 2 /) as string,
    },
  ]);
  // as building it writes it: nobody is behind it twice
  const map = "mid1:\n  mid2:\n    mid1: {}\n";
  expect(checkMap(map)).toEqual([]);
  const seen = ["mid1", "mid1/mid2", "mid1/mid2/mid1"];
  expect(checkMap(map, knowing(["mid1"], seen))).toEqual([]);
  expect(warned(map, knowing(["mid1"], seen.slice(0, 2)))).toContainEqual([
    3,
    "mid1 stands behind itself (mid1 -> mid2 -> mid1), where nobody has found it: calls take the shorter way.",
  ]);
});

test("of a hop of the original it is said once that its hosts show no keys", () => {
  const known = knowing(["mid1"], ["mid1!"]);
  const problems = checkMap("mid1:\n    leaf1: {}\n    leaf2: {}\n", known);
  expect(problems).toMatchObject([
    { line: 1, message: expect.stringMatching("original") as string },
  ]);
});

test("a map that names no host is told, as an error where it may be the rest of another", () => {
  for (const text of ["", "# mid1: {}\n", "\n\n"]) {
    expect(checkMap(text), JSON.stringify(text)).toMatchObject([
      { line: 1, severity: "error", message: expect.stringContaining("names no host") as string },
    ]);
  }
  expect(checkMap("---\n")).toMatchObject([{ line: 1, severity: "error" }]);
  expect(checkMap("---\n{}\n", knowing([], []))).toMatchObject([
    { severity: "warning", message: "the map names no host." },
  ]);
});

test("minions that the overlord's own map lacks are named", () => {
  const known = knowing(["mid1", "web1", "web2"], ["mid1"], true);
  const [problem, ...others] = checkMap("mid1: {}\n", known);
  expect(problem).toMatchObject({ line: 0, severity: "warning" });
  expect(problem?.message).toContain("web1, web2");
  expect(others).toEqual([]);
  expect(checkMap("mid1: {}\n", { ...known, isOwn: false })).toEqual([]);
});

test("a file full of nonsense has 200 problems at most, errors first, and how many more there are", () => {
  const lines = (count: number, rest: string) =>
    Array.from({ length: count }, (_, index) => `${rest.replace("#", `h${index}`)}\n`).join("");
  expect(checkMap(lines(1_000, "#: 1"))).toHaveLength(200);
  const strange = checkMap(`mid1:\n${lines(1_000, "    #: {}")}web9: {}\n`, TREE);
  expect(strange).toHaveLength(201);
  expect(strange.filter(({ severity }) => severity === "error")).toMatchObject([{ line: 1_002 }]);
  expect(strange.at(-1)?.message).toBe("801 more problems are not told here.");
});
