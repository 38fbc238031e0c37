import { describe, expect, it } from "vitest";
import { argumentList, parseArgument } from "../../extension/input/argumentInput";
import { FuncError } from "../../server/common/errors";
import type { ArgumentDescription } from "../../server/protocol/methods";
import type { JsonValue } from "../../server/protocol/value";

function argument(changes: Partial<ArgumentDescription> = {}): ArgumentDescription {
  return { name: "thing", type: "string", optional: false, description: "", ...changes };
}

function parse(changes: Partial<ArgumentDescription>, text: string): JsonValue {
  const parsed = parseArgument(argument(changes), text);
  if (parsed.skipped) throw new Error("skipped");
  return parsed.value;
}

describe("parseArgument", () => {
  it.each<[Partial<ArgumentDescription>, string, JsonValue]>([
    [{ type: "int" }, " 42 ", 42],
    [{ type: "int" }, "-7", -7],
    [{ type: "float" }, "0.5", 0.5],
    [{ type: "float" }, "3", { $double: 3 }],
    [{ type: "boolean" }, "Yes", true],
    [{ type: "boolean" }, "off", false],
    [{ type: "string" }, "  kept as typed ", "  kept as typed "],
    [{ type: "list" }, "a, b,c", ["a", "b", "c"]],
    [{ type: "list" }, '["a,b", 1]', ["a,b", 1]],
    [{ type: "hash" }, '{"A": "1"}', { A: "1" }],
    [{ untyped: true }, "42", 42],
    [{ untyped: true }, '"42"', "42"],
    [{ untyped: true }, "forty two", "forty two"],
    [{ type: "list*", untyped: true }, "2, x", [2, "x"]],
  ])("reads %o %o", (changes, text, value) => {
    expect(parse(changes, text)).toEqual(value);
  });

  it.each<[Partial<ArgumentDescription>, string, string]>([
    [{ type: "int" }, "1.5", "thing must be a whole number."],
    [{ type: "int", min: 1 }, "0", "thing must be at least 1."],
    [{ type: "int", max: 9 }, "10", "thing must be at most 9."],
    [{ type: "float" }, "often", "thing must be a number."],
    [{ type: "boolean" }, "maybe", "thing must be true or false."],
    [{ type: "string" }, "", "thing is needed."],
    [{ type: "string", minLength: 3 }, "ab", "thing must have at least 3 characters."],
    [{ type: "string", options: ["on", "off"] }, "x", "thing must be one of on, off."],
    [{ type: "string", validator: "[a-z]+" }, "A1", "thing must match [a-z]+."],
    [{ type: "list", maxLength: 1 }, "a,b", "thing must have at most 1 items."],
    [{ type: "hash" }, "[]", 'thing must be a JSON object such as {"key": "value"}.'],
  ])("refuses %o %o", (changes, text, message) => {
    expect(() => parse(changes, text)).toThrow(new FuncError("bad-argument", message));
  });

  it("leaves an expression of another dialect to the minion", () => {
    expect(parse({ validator: "(?P<name>x)" }, "y")).toBe("y");
  });

  it("skips an empty optional argument", () => {
    expect(parseArgument(argument({ optional: true, type: "int" }), "")).toEqual({ skipped: true });
  });
});

describe("argumentList", () => {
  const given = (value: JsonValue) => ({ skipped: false as const, value });
  const skipped = { skipped: true as const };

  it("leaves out what was skipped at the end and fills defaults before", () => {
    const descriptions = [argument(), argument({ default: 5 }), argument(), argument()];
    expect(argumentList(descriptions, [given("a"), skipped, given("c"), skipped])).toEqual([
      "a",
      5,
      "c",
    ]);
  });

  it("spreads the rest arguments", () => {
    const rest = [argument({ type: "list*" })];
    expect(argumentList(rest, [given(["-c", "1"])])).toEqual(["-c", "1"]);
  });

  it("refuses a gap without a default", () => {
    expect(() => argumentList([argument(), argument()], [skipped, given(1)])).toThrow(FuncError);
  });
});
