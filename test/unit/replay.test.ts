import { expect, test } from "vitest";
import type { ReplayStep, ResultRow, RowKind } from "../../extension/webviews/resultsProtocol";
import { LiveLines } from "../../media/results/liveLines";
import { Replay } from "../../media/results/replay";

const step = (atMs: number, minion: string, kind: RowKind, label: string): ReplayStep => ({
  atMs,
  minion,
  kind,
  label,
});

const rows: ResultRow[] = [
  { minion: "web1", kind: "succeeded", label: "exit 0", text: "fine", durationMs: 300 },
  { minion: "web2", kind: "succeeded", label: "exit 0", text: "fine too", durationMs: 500 },
  { minion: "web3", kind: "running", label: "running", text: "" },
];

/** web2 failed first, and was tried again; its steps come last, as they may. */
function replay(): Replay {
  const replay = new Replay(1_000, () => rows);
  replay.add(
    [
      step(1_000, "web1", "waiting", "queued"),
      step(1_100, "web1", "running", "running"),
      step(1_400, "web1", "succeeded", "succeeded"),
      step(1_200, "web3", "running", "running"),
    ],
    false,
    undefined,
  );
  replay.add(
    [
      step(1_050, "web2", "running", "sent"),
      step(1_150, "web2", "failed", "failed"),
      step(1_500, "web2", "running", "running"),
      step(2_000, "web2", "succeeded", "succeeded"),
    ],
    true,
    undefined,
  );
  return replay;
}

function labelsAt(slider: Replay, atMs: number): string[] {
  slider.atMs = atMs;
  return slider.rowsAt().map(({ label }) => label);
}

test("each minion shows as it stood at that moment", () => {
  const slider = replay();
  expect(slider.atMs).toBe(2_000);
  expect(labelsAt(slider, 1_000)).toEqual(["waiting", "waiting", "waiting"]);
  expect(labelsAt(slider, 1_120)).toEqual(["running", "sent", "waiting"]);
  expect(labelsAt(slider, 1_200)).toEqual(["running", "failed", "running"]);
  expect(labelsAt(slider, 1_450)).toEqual(["exit 0", "failed", "running"]);
});

test("what was final by then, and stayed so, has its result; an earlier attempt's has none", () => {
  const slider = replay();
  slider.atMs = 1_450;
  expect(slider.rowsAt()[0]).toBe(rows[0]);
  expect(slider.rowsAt()[1]).toMatchObject({ kind: "failed", text: "" });
  slider.atMs = slider.endMs;
  expect(slider.rowsAt()).toEqual(rows);
});

test("the keyboard goes from event to event", () => {
  const slider = replay();
  slider.atMs = 1_150;
  expect(slider.stepFrom(1)).toBe(1_200);
  expect(slider.stepFrom(-1)).toBe(1_100);
  slider.atMs = 2_000;
  expect(slider.stepFrom(1)).toBe(2_000);
  slider.atMs = 1_000;
  expect(slider.stepFrom(-1)).toBe(1_000);
});

test("a job of which nothing is known has nothing to slide over", () => {
  const slider = new Replay(1_000, () => rows);
  expect(slider.isEmpty).toBe(false);
  slider.add([], true, undefined);
  expect(slider.isEmpty).toBe(true);
});

test("live lines are filtered as they come, and the oldest go", () => {
  const lines = new LiveLines();
  const line = (minion: string, text: string) => ({ minion, stream: "stdout" as const, text });
  lines.add([line("web1", "one"), line("web2", "Two")]);
  expect(lines.shown("TWO").map(({ minion }) => minion)).toEqual(["web2"]);
  lines.add([line("web3", "two and more"), line("web3", "three")]);
  expect(lines.shown("two")).toHaveLength(2);
  expect(lines.shown("web3")).toHaveLength(2);
  expect(lines.shown("")).toHaveLength(4);
  for (let at = 0; at < 30; at++) {
    lines.add(Array.from({ length: 1_000 }, (_, index) => line("web1", `${at}/${index}`)));
  }
  expect(lines.size).toBeLessThanOrEqual(22_000);
  expect(lines.dropped + lines.size).toBe(30_004);
  expect(lines.shown("29/999").map(({ text }) => text)).toEqual(["29/999"]);
});
