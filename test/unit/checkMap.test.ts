import { expect, test } from "vitest";
import { checkMap } from "../../server/delegation/checkMap";

const problemsOf = (text: string, minions = ["mid1", "leaf1"]) =>
  checkMap(text, (name) => minions.includes(name));

test("nothing is said of a map that is right", () => {
  expect(problemsOf("---\nmid1:\n    leaf1: {}\n    web1: {}\nleaf1: {}\n")).toEqual([]);
  expect(problemsOf("")).toEqual([]);
});

test("every error is told with its place, not only the first", () => {
  const problems = problemsOf("mid1:\n    leaf1:\n    web1: 5\n    web1: {}\nleaf1: []\n");
  expect(problems.map(({ line, column, severity }) => [line, column, severity])).toEqual([
    [2, 11, "error"],
    [3, 11, "error"],
    [4, 5, "error"],
    [5, 8, "error"],
  ]);
  expect(problems[2]).toMatchObject({ length: 4 });
});

test("what YAML itself does not take is told with its place", () => {
  expect(problemsOf("mid1: {\n")).toMatchObject([{ line: 2, severity: "error" }]);
  expect(problemsOf("mid1:\n\tleaf1: {}\n")[0]).toMatchObject({ line: 2, severity: "error" });
});

test("a host that nobody knows here, one above itself, and a name of no host are strange", () => {
  const problems = problemsOf("mid1:\n    mid1:\n        leaf1: {}\nweb9: {}\nMinion 2: {}\n");
  expect(problems.map(({ line, severity, message }) => [line, severity, message])).toEqual([
    [2, "warning", expect.stringContaining("stands above itself") as string],
    [4, "warning", expect.stringContaining("no minion of this overlord") as string],
    [5, "warning", expect.stringContaining("no name") as string],
  ]);
});

test("a file full of nonsense has 200 problems at most", () => {
  const text = Array.from({ length: 1_000 }, (_, index) => `h${index}: 1\n`).join("");
  expect(problemsOf(text)).toHaveLength(200);
});
