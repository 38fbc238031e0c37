import { expect, it } from "vitest";
import { readMapBelow, readOriginalMap } from "../../server/delegation/mapBelow";

it("leaves room for others where too many are told of", () => {
  const budget = { left: 3 };
  const names = ["a", "b", "c", "d"];
  const hosts = names.map((name) => ({ name, outcome: "not-an-overlord", children: [] }));
  expect(() => readMapBelow(JSON.stringify({ hosts }), 2, budget)).toThrow("more than");
  expect(() => readOriginalMap({ a: { b: {} }, c: { d: {} } }, 2, budget)).toThrow("more than");
  expect(readOriginalMap({ a: { b: {} } }, 2, budget)).toHaveLength(1);
  expect(budget.left).toBe(1);
  expect(readMapBelow(JSON.stringify({ hosts: hosts.slice(0, 1) }), 2, budget).hosts).toHaveLength(
    1,
  );
  expect(budget.left).toBe(0);
});

it("says what is wrong with a name that is none", () => {
  const text = '{"hosts":[{"name":{"toString":1},"outcome":"overlord"}]}';
  expect(() => readMapBelow(text, 2, { left: 1 })).toThrow(
    "what is no text in it is no host's name",
  );
});
