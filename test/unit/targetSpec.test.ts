import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FuncError } from "../../server/common/errors";
import { targetsText } from "../../server/protocol/jobs";
import { matchTargets, usesGroups } from "../../server/targets/targetSpec";

const names = ["web2.example.org", "db1", "web1.example.org", "mail"];

it("is the sorted union of its parts, each name once", () => {
  expect(matchTargets({ spec: " web* ; DB1;db1;*.example.org; " }, names)).toEqual([
    "db1",
    "web1.example.org",
    "web2.example.org",
  ]);
  expect(matchTargets({ spec: "*" }, names)).toEqual([...names].sort());
});

it("refuses an empty expression", () => {
  for (const spec of ["", "  ", ";", " ; "]) {
    expect(() => matchTargets({ spec }, names)).toThrow(
      expect.objectContaining({ reason: "bad-argument" }),
    );
  }
});

it("refuses a pattern that is longer than any name", () => {
  for (const targets of [{ spec: "*a".repeat(501) }, { spec: "*", exclude: "x".repeat(1_001) }]) {
    expect(() => matchTargets(targets, names)).toThrow(
      expect.objectContaining({ reason: "bad-argument" }),
    );
  }
});

it("refuses any part that matches nothing, with the nearest names", () => {
  expect(() => matchTargets({ spec: "db1;mial" }, names)).toThrow(
    expect.objectContaining({
      reason: "no-match",
      message: `Can't find any minions matching "mial". Did you mean mail?`,
    }),
  );
  expect(() => matchTargets({ spec: "web3" }, names)).toThrow(
    /Did you mean web1\.example\.org, web2\.example\.org\?/,
  );
  expect(() => matchTargets({ spec: "*" }, [])).toThrow(
    expect.objectContaining({ message: `Can't find any minions matching "*".` }),
  );
});

it("tells what is wrong with a part that cannot be a name", () => {
  const hint = (text: RegExp): unknown =>
    expect.objectContaining({ reason: "no-match", message: expect.stringMatching(text) as string });
  expect(() => matchTargets({ spec: "db1,mail" }, names)).toThrow(hint(/separated by ";"/));
  expect(() => matchTargets({ spec: "db1 mail" }, names)).toThrow(hint(/separated by ";"/));
  expect(() => matchTargets({ spec: "*;!db1" }, names)).toThrow(
    hint(/"!db1"\. .*not negated with "!"/),
  );
});

it("knows the name behind an abbreviation", () => {
  expect(() => matchTargets({ spec: "mini1" }, ["minion10", "minion1", "minion2", "db1"])).toThrow(
    /Did you mean minion1, minion10\?/,
  );
});

it("finds every listed name whatever the order", () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
  fc.assert(
    fc.property(fc.uniqueArray(name, { minLength: 1 }), fc.uniqueArray(name), (listed, others) => {
      const all = [...new Set([...listed, ...others])];
      expect(matchTargets({ spec: listed.join(";") }, all)).toEqual([...listed].sort());
    }),
  );
});

describe("groups and excludes", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => String(index));
  const groups = new Map([
    ["group1", ["[0-4]", "5", "6", "7", "8", "9", "not-enrolled*"]],
    ["empty", []],
    ["old", ["gone*", "away?"]],
    ["misspelt", ["5", "6x"]],
    ["gone", Array.from({ length: 5000 }, (_, index) => `gone${index}`)],
  ]);

  /** Sorted as numbers. */
  function matched(spec: string, exclude?: string): number[] {
    return matchTargets({ spec, exclude }, hundred, groups)
      .map(Number)
      .sort((a, b) => a - b);
  }

  function range(first: number, last: number): number[] {
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  }

  function problem(spec: string, exclude?: string): FuncError {
    try {
      matchTargets({ spec, exclude }, hundred, groups);
    } catch (error) {
      if (error instanceof FuncError) return error;
      throw error;
    }
    throw new Error(`no error for ${spec}`);
  }

  it("expands as the original does", () => {
    expect(matched("@group1")).toEqual(range(0, 9));
    expect(matched(" @GROUP1 : [0-9] ")).toEqual(range(0, 9));
    expect(matched("[1][0-9];@group1:*")).toEqual(range(0, 19));
    expect(matched("[1][0-5];@group1:[5-9]")).toEqual(range(5, 15));
    expect(matched("@group1:7")).toEqual([7]);
    expect(matched("*", "[1-9][0-9]")).toEqual(range(0, 9));
    expect(matched("*", "[1-9][0-9];@group1:[1-9]")).toEqual([0]);
    expect(matched("[1][0-5];@group1:[5-9]", "[1][3-5];@group1:[5-7]")).toEqual(range(8, 12));
    expect(matched("@group1", "50")).toEqual(range(0, 9));
  });

  it("refuses a group that is not there, and parts of groups that match nothing", () => {
    expect(problem("@gruop1")).toMatchObject({
      reason: "no-match",
      message: `There is no group "gruop1". Did you mean @group1?`,
    });
    expect(problem("*", "@gruop1").message).toContain("Did you mean @group1?");
    expect(problem("5;@group1:1?").message).toContain(`"@group1:1?"`);
    expect(problem("@group1:50").reason).toBe("no-match");
    expect(problem("@empty").message).toContain("The group is empty.");
    expect(problem("@old").message).toContain("gone*, away?");
    for (const part of ["@", "@:*", "@group1:"]) expect(problem(part).reason).toBe("bad-argument");
  });

  it("refuses a name in a group that is no minion, in excludes too, with the remedy", () => {
    const wrong = {
      reason: "no-match",
      message:
        'The group "misspelt" has "6x", which is no minion of this overlord. Did you mean 6, 60, 61?',
      nextStep: "Enrol it, or take it out: func group remove misspelt 6x",
    };
    for (const part of ["@misspelt", "@Misspelt:5", "5; @misspelt:*"]) {
      expect(problem(part)).toMatchObject(wrong);
      expect(problem("*", part)).toMatchObject(wrong);
    }
    const many = problem("*", "@gone");
    expect(many.message).toMatch(
      /^The group "gone" has 5000 hosts that are no minions of .*: "gone0".* and 4995 more\./,
    );
    expect(many.nextStep).toMatch(/: func group remove gone gone0 .* gone4 \.\.\.$/);
    expect(many.message.length).toBeLessThan(300);
    const long = new Map([
      ["g", Array.from({ length: 20 }, (_, i) => String(i).padStart(253, "x"))],
    ]);
    expect(() => matchTargets({ spec: "@g" }, hundred, long)).toThrow(/^.{1,3000}$/);
  });

  it("refuses an exclude that matches nothing, nothing at all, or everything", () => {
    const misspelt = problem("*", "5;5x");
    expect(misspelt.reason).toBe("no-match");
    expect(misspelt.message).toMatch(/to exclude matching "5x", and without it too many/);
    for (const exclude of ["", " ; "]) expect(problem("*", exclude).reason).toBe("bad-argument");
    expect(problem("@group1", "?")).toMatchObject({
      reason: "no-match",
      message: `"?" excludes every minion that "@group1" matches (10).`,
    });
  });

  it("knows when groups are needed, and how to say it", () => {
    expect(usesGroups({ spec: "a; @b" })).toBe(true);
    expect(usesGroups({ spec: "*", exclude: "@b" })).toBe(true);
    expect(usesGroups({ spec: "a@b", exclude: "*" })).toBe(false);
    expect(targetsText({ spec: "web*", exclude: "web9" })).toBe("web* without web9");
    expect(targetsText({ spec: "web*" })).toBe("web*");
  });

  it("agrees with a naive model", () => {
    const name = fc.stringMatching(/^[ab]{1,3}$/);
    const glob = fc.stringMatching(/^[ab?*]{1,3}$/);
    const group = fc.constantFrom("g", "h");
    const part = fc.oneof(
      glob,
      group.map((of) => `@${of}`),
      fc.tuple(group, glob).map(([of, pattern]) => `@${of}:${pattern}`),
    );
    const expression = fc.array(part, { minLength: 1, maxLength: 4 });
    const entries = fc.array(glob, { maxLength: 3 });
    fc.assert(
      fc.property(
        fc.uniqueArray(name),
        fc.record({ g: entries, h: entries }),
        expression,
        fc.option(expression, { nil: undefined }),
        (all, listed, spec, exclude) => {
          const fits = (one: string, pattern: string): boolean =>
            new RegExp(`^${pattern.replaceAll("?", ".").replaceAll("*", ".*")}$`).test(one);
          const meant = (one: string, text: string): boolean => {
            const [, of, pattern = "*"] = /^@(\w)(?::(.*))?$/.exec(text) ?? [];
            if (of === undefined) return fits(one, text);
            return listed[of as "g" | "h"].some((entry) => fits(one, entry)) && fits(one, pattern);
          };
          const wanted = all
            .filter((one) => spec.some((text) => meant(one, text)))
            .filter((one) => !exclude?.some((text) => meant(one, text)))
            .sort();
          const complete = [...spec, ...(exclude ?? [])].every((text) => {
            const [, of] = /^@(\w)/.exec(text) ?? [];
            if (of === undefined) return true;
            return listed[of as "g" | "h"].every(
              (entry) => /[*?]/.test(entry) || all.includes(entry),
            );
          });
          const valid =
            complete &&
            [...spec, ...(exclude ?? [])].every((text) => all.some((one) => meant(one, text))) &&
            wanted.length > 0;
          const match = (): string[] =>
            matchTargets(
              { spec: spec.join(";").toUpperCase(), exclude: exclude?.join(" ; ") },
              all,
              new Map(Object.entries(listed)),
            );
          if (valid) expect(match()).toEqual(wanted);
          else expect(match).toThrow(expect.objectContaining({ reason: "no-match" }));
        },
      ),
      { numRuns: 500 },
    );
  });
});
