import { expect, it } from "vitest";
import { laterWordOf, relayedWord } from "../../server/jobs/engine/laterWord";
import type { Ending } from "../../server/jobs/engine/outcome";

function wordOf(ending: Ending, teller = "mid1", wholeBytes?: number) {
  const whole = wholeBytes !== undefined && { wholeBytes };
  return laterWordOf({ teller, minion: "web1", ending, isCommand: true, ...whole });
}

it("says who told it, and how the result begins", () => {
  const value = [2, "", "no such file\nat all\n"];
  expect(wordOf({ state: "succeeded", value })).toEqual({
    state: "succeeded",
    atMs: expect.any(Number) as number,
    message: "mid1 told later: on web1 it had succeeded (exit 2): no such file",
    value,
    exitStatus: 2,
  });
  expect(wordOf({ state: "succeeded", value: [0, "", ""] }, "web1").message).toBe(
    "web1 told later: the call had succeeded",
  );
});

it("has no value that is large, or whose most part stays where it is", () => {
  const large = wordOf({ state: "succeeded", value: [0, "x".repeat(5_000), ""] });
  expect(large.value).toBeUndefined();
  expect(large.message.length).toBeLessThan(300);
  const part = wordOf({ state: "succeeded", value: [0, "x", ""], exitStatus: 0 }, "mid1", 70_000);
  expect(part.value).toBeUndefined();
  expect(part.message).toContain("had succeeded (70000 bytes, which mid1 keeps): x");
});

it("gives a problem in one line", () => {
  const error = { type: "x", message: "web1 said:\n no\u001b[2J\u202e", trace: "" };
  const { message } = wordOf({ state: "failed", error });
  expect(message).toBe("mid1 told later: on web1 it had failed: web1 said: no [2J");
  const stopped = { ...error, message: "Cancelled; web1 has stopped the job." };
  expect(wordOf({ state: "cancelled", error: stopped }).message).toBe(
    "mid1 told later: Cancelled; web1 has stopped the job.",
  );
});

it("tells the word that a hop passes on as the hop's, cleaned and cut", () => {
  const told = { state: "failed" as const, atMs: 1e300, exitStatus: 1e99 };
  const message = `web1 told later: \u001b[2J\nweb9: ok${"x".repeat(10_000)}`;
  const word = relayedWord({ ...told, message }, "mid1");
  expect(word.message).toMatch(/^mid1 told later: web1 told later: \[2J web9: okx+/);
  expect(word.message.length).toBeLessThan(1_100);
  expect(word.exitStatus).toBeUndefined();
  expect(word.atMs).toBeLessThanOrEqual(Date.now());
});
