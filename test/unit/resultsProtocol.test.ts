import { expect, it } from "vitest";
import { parseFromResults, parseResultsState } from "../../extension/webviews/parseFromResults";

it("lets only known messages through, without what else they carry", () => {
  const known = [
    { type: "ready" },
    { type: "callAgain" },
    { type: "callAgain", minions: ["a", "b"] },
    { type: "detail", minion: "a", peek: false },
    { type: "page", minion: "a", section: "stdout", offset: 65_536 },
    { type: "openInEditor", minion: "a" },
    { type: "openInEditor", minion: "a", section: "stderr" },
    { type: "copy", minions: [] },
    { type: "export", minions: ["a"] },
    { type: "compare", minions: ["a", "b"] },
    { type: "search", search: 3, text: "x" },
    { type: "view", view: "minion" },
  ];
  for (const message of known) {
    expect(parseFromResults({ ...message, command: "rm" })).toEqual(message);
  }
});

it("refuses what it does not know", () => {
  for (const wrong of [
    undefined,
    "ready",
    null,
    {},
    { type: "execute" },
    { type: "detail", minion: 1 },
    { type: "openInEditor", minion: "" },
    { type: "openInEditor", minion: "x".repeat(600) },
    { type: "callAgain", minions: [] },
    { type: "callAgain", minions: ["a", 7] },
    { type: "compare", minions: ["a"] },
    { type: "page", minion: "a", section: "stdout", offset: -1 },
    { type: "page", minion: "a", section: "stdout", offset: 1.5 },
    { type: "search", search: 1, text: "x".repeat(1_001) },
    { type: "view", view: "map" },
  ]) {
    expect(parseFromResults(wrong)).toBeUndefined();
  }
});

it("restores a panel from its job's id", () => {
  expect(parseResultsState({ jobId: "j", filter: "x" })).toEqual({ jobId: "j" });
  expect(parseResultsState(undefined)).toBeUndefined();
  expect(parseResultsState({ jobId: 7 })).toBeUndefined();
});
