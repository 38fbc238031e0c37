import { expect, it } from "vitest";
import { followOutput } from "../../server/client/followOutput";
import type { JobOutput, OutputPiece } from "../../server/protocol/jobs";
import { FakeOverlord } from "../fixtures/fakeOverlord";

const MEBIBYTE = 1024 * 1024;

const piece = (offset: number, text: string): OutputPiece => ({
  minion: "a",
  stream: "stdout",
  offset,
  text,
  bytes: text.length,
});
const output = (pieces: OutputPiece[], ended: string[] = []): JobOutput => ({
  jobId: "j1",
  pieces,
  ended,
});
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

interface Followed {
  overlord: FakeOverlord;
  lines: string[];
  ended: string[];
  stop: () => Promise<void>;
}

function follow(
  onLines: (lines: readonly string[]) => Promise<void> | void = () => undefined,
): Followed {
  const overlord = new FakeOverlord({ "jobs/follow": () => ({}), "jobs/unfollow": () => ({}) });
  const controller = new AbortController();
  const [lines, ended]: [string[], string[]] = [[], []];
  const following = followOutput(overlord, "j1", {
    signal: controller.signal,
    onLines: async (news) => {
      const texts = news.map(({ text }) => text);
      await onLines(texts);
      lines.push(...texts);
    },
    onEnded: (minion) => void ended.push(minion),
    onProblem: () => undefined,
  });
  return {
    overlord,
    lines,
    ended,
    stop: async () => {
      controller.abort();
      await following;
    },
  };
}

it("goes on from the bytes that it has, over another connection", async () => {
  const { overlord, lines, ended, stop } = follow();
  await settled();
  overlord.notify("jobs/output", output([piece(0, "one\ntw")]));
  await settled();
  overlord.lose();
  await settled();
  expect(overlord.asked("jobs/follow")).toEqual([
    { jobId: "j1", offsets: {} },
    { jobId: "j1", offsets: { a: { stdout: 6, stderr: 0 } } },
  ]);
  overlord.notify("jobs/output", output([piece(6, "o\nthree")], ["a"]));
  await settled();
  expect(lines).toEqual(["one", "two", "three"]);
  expect(ended).toEqual(["a"]);
  await stop();
  expect(overlord.asked("jobs/unfollow").length).toBeGreaterThan(0);
});

it("holds the overlord back where the reader is slower", async () => {
  const wait: (() => void)[] = [];
  const { overlord, lines, stop } = follow(() => new Promise((resolve) => wait.push(resolve)));
  await settled();
  const line = `${"x".repeat(MEBIBYTE - 1)}\n`;
  for (let at = 0; at < 8; at++) {
    overlord.notify("jobs/output", output([piece(at * MEBIBYTE, line)]));
  }
  await settled();
  // what came after the fifth was not taken
  expect(overlord.asked("jobs/unfollow")).toHaveLength(1);
  expect(overlord.asked("jobs/follow")).toHaveLength(1);
  for (let shown = 0; shown < 5; shown++) {
    wait.shift()?.();
    await settled();
  }
  expect(lines).toHaveLength(5);
  expect(overlord.asked("jobs/follow").at(-1)).toEqual({
    jobId: "j1",
    offsets: { a: { stdout: 5 * MEBIBYTE, stderr: 0 } },
  });
  await stop();
});
