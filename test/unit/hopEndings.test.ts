import { expect, it } from "vitest";
import { endingOfLeft, withHopNamed } from "../../server/delegation/hopEndings";

it("says once over which hop a host cannot be reached, however many overlords on the way say it", () => {
  const minion = { name: "web1", path: ["mid1", "mid2", "web1"] };
  for (const mayHaveRun of [true, false]) {
    const left = { minion, failedHop: "mid2", mayHaveRun };
    const lower = endingOfLeft({ ...left, cause: "mid2 refused the connection." });
    const message = lower.error?.message ?? "";
    expect(message).toMatch(/^web1\b.*mid2: mid2 refused the connection\.$/);
    expect(endingOfLeft({ ...left, cause: message }).error?.message).toBe(message);
  }
});

it("says once that nothing was run", () => {
  const left = {
    minion: { name: "web1", path: ["mid1", "web1"] },
    failedHop: "mid1",
    mayHaveRun: false,
  };
  const stepOf = (cause: string) => endingOfLeft({ ...left, cause }).error?.nextStep;
  expect(stepOf("mid1 refused the connection. Nothing was run.")).toMatch(/^Look at mid1/);
  expect(stepOf("mid1 is no sub-overlord.")).toMatch(/^Nothing was run on web1\. Look at mid1/);
});

it("names the overlord that lacks a host by what it is called above", () => {
  const minion = { name: "web1", path: ["web1"] };
  const { error } = endingOfLeft({ minion, failedHop: "", cause: "", mayHaveRun: false });
  const named = error && withHopNamed(error, "mid1");
  expect(named?.message).toBe("web1 is not among the minions of mid1, which was to call it.");
  expect(named && withHopNamed(named, "top").message).toBe(named?.message);
});
