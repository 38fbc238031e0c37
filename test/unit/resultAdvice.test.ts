import { expect, it } from "vitest";
import { resultParts } from "../../extension/results/resultParts";
import { withNextStep } from "../../server/cli/resultStep";
import { remoteErrorOf } from "../../server/client/library/remoteError";
import { adviceOf } from "../../server/protocol/resultAdvice";
import type { MinionResult } from "../../server/protocol/jobs";

const UNREACHABLE: MinionResult = {
  minion: "web1",
  state: "unreachable",
  via: ["mid1", "mid3"],
  error: {
    type: "socket.error",
    message: "web1 cannot be reached",
    trace: "",
    nextStep: "Is funcd running there? func address web1 shows where it is looked for.",
  },
};
const ADVICE =
  "At mid1/mid3: Is funcd running there? func address web1 shows where it is looked for.";

it("names the sub-overlord at which advice is to be followed, in every face", async () => {
  expect(adviceOf(UNREACHABLE)).toBe(ADVICE);
  expect(withNextStep(UNREACHABLE).error?.nextStep).toBe(ADVICE);
  expect(remoteErrorOf(UNREACHABLE).nextStep).toBe(ADVICE);
  const reader = { request: () => Promise.reject(new Error("nothing is to be read")) };
  const parts = await resultParts(reader, UNREACHABLE, true);
  const source = parts.find(({ key }) => key === "nextStep")?.source;
  const read = await source?.read(0, source.bytes);
  expect(read?.toString()).toBe(ADVICE);
});

it("leaves advice as it is where it is to be followed at the top", () => {
  const direct = { ...UNREACHABLE, via: undefined };
  expect(adviceOf(direct)).toBe(UNREACHABLE.error?.nextStep);
  expect(adviceOf({ ...UNREACHABLE, failedHop: "mid1" })).toBe(UNREACHABLE.error?.nextStep);
  expect(adviceOf({ minion: "web1", state: "succeeded", via: ["mid1"] })).toBeUndefined();
});
