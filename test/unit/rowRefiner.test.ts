import { expect, it } from "vitest";
import { RowRefiner } from "../../extension/jobs/rowRefiner";
import type { MinionResult } from "../../server/protocol/jobs";
import type { ResultRow } from "../../extension/webviews/resultsProtocol";

function leftOut(minion: string, valueBytes: number): MinionResult {
  return { minion, state: "succeeded", valueBytes };
}

it("reads the values that were left out, but none that are too large", async () => {
  const asked: string[] = [];
  const rows: ResultRow[] = [];
  const done = new Promise<void>((resolve) => {
    const refiner = new RowRefiner(
      (minion) => {
        asked.push(minion);
        return Promise.resolve({ minion, state: "succeeded", value: [1, "", "no"] });
      },
      (row) => {
        rows.push(row);
        if (rows.length === 2) resolve();
      },
    );
    const small: MinionResult = { minion: "small", state: "succeeded", value: [0, "", ""] };
    refiner.add(
      [small, leftOut("a", 20_000), leftOut("huge", 5e6), leftOut("b", 1)],
      "command",
      "run",
    );
  });
  await done;
  expect(asked).toEqual(["a", "b"]);
  expect(rows.map(({ label, kind }) => `${label} ${kind}`)).toEqual([
    "exit 1 failed",
    "exit 1 failed",
  ]);
});
