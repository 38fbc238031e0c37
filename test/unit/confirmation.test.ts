import { expect, it } from "vitest";
import { firstNames, needsConfirmation } from "../../extension/confirmation";

it("asks by risk and number of minions", () => {
  expect(needsConfirmation("disruptive", 1, 10)).toBe(true);
  expect(needsConfirmation("read", 5_000, 0)).toBe(false);
  expect(needsConfirmation("change", 10, 10)).toBe(false);
  expect(needsConfirmation("change", 11, 10)).toBe(true);
  expect(needsConfirmation(undefined, 1, 0)).toBe(true);
});

it("names the first minions", () => {
  expect(firstNames(["a", "b"])).toBe("a, b");
  expect(firstNames(["a", "b", "c", "d", "e", "f", "g"])).toBe("a, b, c, d, e and 2 more");
});
