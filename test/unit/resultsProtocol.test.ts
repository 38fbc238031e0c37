import { expect, it } from "vitest";
import { parseFromResults, parseResultsState } from "../../extension/webviews/resultsProtocol";

it("lets only known messages through, without what else they carry", () => {
  expect(parseFromResults({ type: "ready", command: "rm" })).toEqual({ type: "ready" });
  expect(parseFromResults({ type: "detail", minion: "a" })).toEqual({
    type: "detail",
    minion: "a",
    whole: false,
  });
  for (const wrong of [
    undefined,
    "ready",
    null,
    {},
    { type: "execute" },
    { type: "detail", minion: 1 },
    { type: "openInEditor", minion: "" },
    { type: "openInEditor", minion: "x".repeat(600) },
  ]) {
    expect(parseFromResults(wrong)).toBeUndefined();
  }
});

it("restores a panel from its job's id", () => {
  expect(parseResultsState({ jobId: "j", filter: "x" })).toEqual({ jobId: "j" });
  expect(parseResultsState(undefined)).toBeUndefined();
  expect(parseResultsState({ jobId: 7 })).toBeUndefined();
});
