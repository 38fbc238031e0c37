import { expect, test } from "vitest";
import { checkMap, type KnownHosts } from "../../server/delegation/checkMap";
import type { HostIdentity } from "../../server/delegation/identitiesText";
import type { MinionRecord } from "../../server/protocol/minions";

const placed = (text: string, known?: KnownHosts) =>
  checkMap(text, known).map(({ line, column, severity }) => [line, column, severity]);

/** An overlord with these minions, that has seen hosts at these paths; "!" marks those of the original. */
function knowing(minions: readonly string[], paths: readonly string[], isOwn = false): KnownHosts {
  const list = minions.map((name) => ({ name }) as MinionRecord);
  const seen = new Map<string, HostIdentity>();
  for (const marked of paths) {
    const path = marked.replace("!", "").split("/");
    const identity = { path, key: "a".repeat(64), native: !marked.endsWith("!"), firstSeenMs: 0 };
    seen.set(path.join("/"), identity);
  }
  return {
    inventory: { find: (name) => list.find((one) => one.name === name), list: () => list },
    seen: {
      problem: undefined,
      find: (path) => seen.get(path.join("/")),
      seenBehind: (path) =>
        [...seen.keys()].filter((one) => one.startsWith(`${path.join("/")}/`)).length,
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
    [2, "warning", expect.stringContaining("stands above itself") as string],
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
      message: "mid1 has nobody behind it here, where 2 hosts have been seen.",
    },
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
