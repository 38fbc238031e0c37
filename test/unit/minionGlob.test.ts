import { expect, it } from "vitest";
import { globParts, minionGlob } from "../../server/jobs/minionGlob";

const direct = { name: "web1" };
const behind = { name: "web2", path: ["mid1", "mid3", "web2"] };
/** One of two hosts of that name. */
const named = { name: "db1@mid2", path: ["mid2", "db1"] };

function meant(glob: string): string[] {
  const { means, mayMean } = minionGlob(glob);
  return [direct, behind, named].flatMap((minion) => {
    // what is left out by its name is meant by no path
    if (means(minion)) expect(mayMean(minion.name)).toBe(true);
    return means(minion) ? [minion.name] : [];
  });
}

it("means minions by their names, several separated by semicolons", () => {
  expect(meant("WEB*")).toEqual(["web1", "web2"]);
  expect(meant("web1; db1@mid2 ;")).toEqual(["web1", "db1@mid2"]);
  expect(meant("d?1")).toEqual(["db1@mid2"]);
  expect(meant("db1")).toEqual([]);
  expect(meant("*")).toEqual(["web1", "web2", "db1@mid2"]);
  expect(meant("web")).toEqual([]);
  expect(minionGlob("web*").needsPath).toBe(false);
  expect(globParts(" a;; b ")).toEqual(["a", "b"]);
});

it("means those behind a sub-overlord, by the nearest one or by the whole way", () => {
  expect(minionGlob("web1;web2@mid3").needsPath).toBe(true);
  expect(meant("web2@mid3")).toEqual(["web2"]);
  expect(meant("web2@mid1/mid3")).toEqual(["web2"]);
  expect(meant("*@mid?")).toEqual(["web2", "db1@mid2"]);
  expect(meant("db1@MID2")).toEqual(["db1@mid2"]);
  expect(meant("web2@mid1")).toEqual([]);
  expect(meant("*@mid1*")).toEqual([]);
  expect(meant("*@mid1/*")).toEqual(["web2"]);
  const deep = { name: "web1@mid1/gw", path: ["mid1", "gw", "web1"] };
  expect(["*@mid*", "*@gw", "web1@mid1/gw"].map((glob) => minionGlob(glob).means(deep))).toEqual([
    false,
    true,
    true,
  ]);
  expect(meant("web1@mid1")).toEqual([]);
});
