import type { ArgumentDescription } from "../../server/protocol/methods";
import { describe, expect, it } from "vitest";
import { checkArguments } from "../../server/minion/argumentCheck";
import { MethodError } from "../../server/minion/methodError";
import { XmlRpcDouble, type XmlRpcValue } from "../../server/wire/value";

function argument(
  type: ArgumentDescription["type"],
  more: Partial<ArgumentDescription> = {},
): ArgumentDescription {
  return { name: "x", type, optional: false, description: "", ...more };
}

function check(declared: ArgumentDescription, given: XmlRpcValue): XmlRpcValue | undefined {
  return checkArguments("m.f", [declared], [given])[0];
}

function refusal(declared: ArgumentDescription[], given: XmlRpcValue[]): string {
  try {
    checkArguments("m.f", declared, given);
  } catch (error) {
    if (error instanceof MethodError) return `${error.type}: ${error.message}`;
  }
  return "accepted";
}

describe("the arguments of a call", () => {
  it("converts strings that read as the declared type", () => {
    expect(check(argument("int"), "42")).toBe(42);
    expect(check(argument("int"), " -7 ")).toBe(-7);
    expect(check(argument("int"), "9007199254740993")).toBe(9007199254740993n);
    expect(check(argument("int"), new XmlRpcDouble(3))).toBe(3);
    expect(check(argument("float"), "2.5e1")).toBe(25);
    expect(check(argument("boolean"), "Yes")).toBe(true);
    expect(check(argument("boolean"), 0)).toBe(false);
    expect(check(argument("string"), Buffer.from("a\u0001b"))).toBe("a\u0001b");
  });

  it.each<[ArgumentDescription["type"], XmlRpcValue]>([
    ["int", "4x"],
    ["int", 1.5],
    ["int", true],
    ["int", ""],
    ["float", "one"],
    ["float", "0x10"],
    ["boolean", "perhaps"],
    ["string", 5],
    ["string", Buffer.from([0xff])],
    ["hash", []],
    ["hash", new XmlRpcDouble(1)],
    ["list", "a,b"],
  ])("refuses as %s what is none: %j", (type, value) => {
    expect(refusal([argument(type)], [value])).toMatch(
      new RegExp(`^exceptions\\.TypeError: m\\.f: the argument "x" has to be of type ${type}`),
    );
  });

  it("says at once that a long text is no number", () => {
    const long = `${"1".repeat(1_000_000)}x`;
    for (const type of ["int", "float", "boolean"] as const) {
      expect(refusal([argument(type)], [long])).toContain(`has to be of type ${type}`);
    }
  });

  it("counts them and names the missing one", () => {
    expect(refusal([argument("int")], [])).toContain('the argument "x" is missing');
    expect(refusal([argument("int")], [1, 2])).toContain("takes 1 argument, but 2 were given");
    expect(refusal([], [1])).toContain("takes no arguments, but 1 was given");
    expect(refusal([], [1])).toContain("takes no arguments");
    expect(refusal([argument("string")], [null])).toContain("missing");
  });

  it("fills in what is optional, also for nil", () => {
    const optional = argument("int", { optional: true, default: 8 });
    expect(checkArguments("m.f", [optional], [])).toEqual([8]);
    expect(checkArguments("m.f", [optional], [null])).toEqual([8]);
    expect(checkArguments("m.f", [argument("hash", { optional: true })], [])).toEqual([undefined]);
  });

  it("gives all the rest to a last argument of type list*", () => {
    const declared = [argument("string"), argument("list*", { name: "rest", optional: true })];
    expect(checkArguments("m.f", declared, ["a", 1, [2]])).toEqual(["a", 1, [2]]);
    expect(checkArguments("m.f", declared, ["a"])).toEqual(["a"]);
    expect(refusal([argument("list*", { name: "rest" })], [])).toContain('"rest" is missing');
  });

  it("keeps to the declared bounds", () => {
    expect(refusal([argument("int", { min: 1, max: 3 })], [0])).toContain("less than 1");
    expect(refusal([argument("int", { min: 1, max: 3 })], ["4"])).toContain("more than 3");
    expect(refusal([argument("string", { options: ["a", "b"] })], ["c"])).toContain("one of a, b");
    expect(refusal([argument("string", { minLength: 2 })], ["c"])).toContain("fewer than 2");
    expect(refusal([argument("list", { maxLength: 1 })], [[1, 2]])).toContain("more than 1");
    // the whole string has to match, not a part of it
    expect(refusal([argument("string", { validator: "a|b" })], ["ab"])).toContain("does not match");
  });

  it("lets an untyped argument be anything, nil included", () => {
    const untyped = argument("string", { untyped: true });
    expect(checkArguments("m.f", [untyped], [null])).toEqual([null]);
    expect(checkArguments("m.f", [untyped], [{ a: 1 }])).toEqual([{ a: 1 }]);
    expect(refusal([untyped], [])).toContain("missing");
  });
});
