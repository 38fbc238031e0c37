import { describe, expect, it } from "vitest";
import { argumentList, parseArgument } from "../../extension/input/argumentInput";
import { argumentTexts } from "../../extension/input/argumentText";
import type { ArgumentDescription, ArgumentType } from "../../server/protocol/methods";
import type { JsonValue } from "../../server/protocol/value";

function argument(
  type: ArgumentType,
  more: Partial<ArgumentDescription> = {},
): ArgumentDescription {
  return { name: "a", type, optional: false, description: "", ...more };
}

/** What is sent when the texts are accepted as they stand. */
function again(descriptions: ArgumentDescription[], args: JsonValue[]): JsonValue[] {
  const texts = argumentTexts(descriptions, args);
  return argumentList(
    descriptions,
    descriptions.map((description, i) => parseArgument(description, texts[i] ?? "")),
  );
}

describe("argumentTexts", () => {
  it.each<[ArgumentDescription[], JsonValue[]]>([
    [[argument("string")], ["it's 12, [x]"]],
    [
      [argument("int"), argument("boolean")],
      [42, false],
    ],
    [[argument("float")], [{ $double: 2 }]],
    [[argument("float")], [2.5]],
    [[argument("list")], [["a,b", "c"]]],
    [[argument("list")], [[]]],
    [[argument("hash")], [{ a: [1, { b: null }] }]],
    [
      [argument("string"), argument("list*")],
      ["x", "y", 3, "z,"],
    ],
    [[argument("string", { untyped: true })], ["42"]],
    [[argument("string", { untyped: true })], [42]],
    [[argument("string", { untyped: true })], ["plain"]],
    [[argument("list*", { optional: true, untyped: true })], ["1", 1, { a: "b" }]],
    [[argument("string"), argument("int", { optional: true })], ["x"]],
  ])("gives back what is read as the same: %j %j", (descriptions, args) => {
    expect(again(descriptions, args)).toEqual(args);
  });

  it("never shows a secret again", () => {
    expect(argumentTexts([argument("string", { secret: true })], ["pw"])).toEqual([undefined]);
  });
});
