import { expect, it } from "vitest";
import type { ResultRow } from "../../extension/webviews/resultsProtocol";
import { parseFilter } from "../../media/results/rowFilter";

const ROWS: ResultRow[] = [
  { minion: "web-1", kind: "succeeded", label: "exit 0", text: "nginx version: 1.26" },
  { minion: "web-12", kind: "failed", label: "exit 127", text: "sh: nginx: not found" },
  { minion: "db-1", kind: "failed", label: "exit 1", text: "No such file" },
  { minion: "lab-1", kind: "timed-out", label: "timed-out", text: "gave no answer" },
];

function shown(filter: string): string {
  const { fields, words } = parseFilter(filter);
  return ROWS.filter((row) => fields(row) && words(row))
    .map(({ minion }) => minion)
    .join();
}

it.each([
  ["", "web-1,web-12,db-1,lab-1"],
  ["  ", "web-1,web-12,db-1,lab-1"],
  ["NGINX", "web-1,web-12"],
  ["nginx found", "web-12"],
  ['"no such"', "db-1"],
  ['"such no"', ""],
  ["state:failed", "web-12,db-1"],
  ["state:fail host:web*", "web-12"],
  ["state:timed-out", "lab-1"],
  ['state:"exit 1"', "web-12,db-1"],
  ["exit:1", "db-1"],
  ["host:web-1", "web-1,web-12"],
  ["host:*-1", "web-1,db-1,lab-1"],
  ["host:web-??", "web-12"],
  ["host:[", ""],
  ["state:", "web-1,web-12,db-1,lab-1"],
  ["host:web-1 sh:", "web-12"],
])("filters by %j", (filter, expected) => {
  expect(shown(filter)).toBe(expected);
});

it("searches outputs for the words without the fields", () => {
  expect(parseFilter('state:failed no such "file or" host:web*').text).toBe("no such file or");
});
