import { expect, it } from "vitest";
import { endingOfLeft } from "../../server/delegation/hopEndings";

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
