import fc from "fast-check";
import { expect, it } from "vitest";
import { matchTargets } from "../../server/targets/targetSpec";

const names = ["web2.example.org", "db1", "web1.example.org", "mail"];

it("is the sorted union of its parts, each name once", () => {
  expect(matchTargets(" web* ; DB1;db1;*.example.org; ", names)).toEqual([
    "db1",
    "web1.example.org",
    "web2.example.org",
  ]);
  expect(matchTargets("*", names)).toEqual([...names].sort());
});

it("refuses an empty expression", () => {
  for (const spec of ["", "  ", ";", " ; "]) {
    expect(() => matchTargets(spec, names)).toThrow(
      expect.objectContaining({ reason: "bad-argument" }),
    );
  }
});

it("refuses any part that matches nothing, with the nearest names", () => {
  expect(() => matchTargets("db1;mial", names)).toThrow(
    expect.objectContaining({
      reason: "no-match",
      message: `Can't find any minions matching "mial". Did you mean mail?`,
    }),
  );
  expect(() => matchTargets("web3", names)).toThrow(
    /Did you mean web1\.example\.org, web2\.example\.org\?/,
  );
  expect(() => matchTargets("*", [])).toThrow(
    expect.objectContaining({ message: `Can't find any minions matching "*".` }),
  );
});

it("tells what is wrong with a part that cannot be a name", () => {
  const hint = (text: RegExp): unknown =>
    expect.objectContaining({ reason: "no-match", message: expect.stringMatching(text) as string });
  expect(() => matchTargets("db1,mail", names)).toThrow(hint(/separated by ";"/));
  expect(() => matchTargets("db1 mail", names)).toThrow(hint(/separated by ";"/));
  expect(() => matchTargets("*;!db1", names)).toThrow(hint(/"!db1"\. .*not negated with "!"/));
});

it("knows the name behind an abbreviation", () => {
  expect(() => matchTargets("mini1", ["minion10", "minion1", "minion2", "db1"])).toThrow(
    /Did you mean minion1, minion10\?/,
  );
});

it("finds every listed name whatever the order", () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
  fc.assert(
    fc.property(fc.uniqueArray(name, { minLength: 1 }), fc.uniqueArray(name), (listed, others) => {
      const all = [...new Set([...listed, ...others])];
      expect(matchTargets(listed.join(";"), all)).toEqual([...listed].sort());
    }),
  );
});
