import { expect, it } from "vitest";
import { weightierWord } from "../../server/jobs/weightierWord";
import type { LaterWord, MinionCallState } from "../../server/protocol/jobs";

const word = (state: MinionCallState): LaterWord => ({ state, atMs: 1, message: state });

it.each([
  [undefined, "unreachable", "unreachable"],
  ["succeeded", "unreachable", "succeeded"],
  ["failed", "lost", "failed"],
  ["unreachable", "succeeded", "succeeded"],
  ["succeeded", "failed", "failed"],
  ["lost", "unreachable", "unreachable"],
] as const)("after %s, %s is told as %s", (known, told, expected) => {
  expect(weightierWord(known && word(known), word(told))).toEqual(word(expected));
});
