import { describe, expect, it } from "vitest";
import { JobState } from "../../extension/jobs/jobState";
import { formatBytes } from "../../extension/results/formatBytes";
import { resultRow } from "../../extension/results/resultRow";
import type { JobProgress, JobSummary, MinionResult } from "../../server/protocol/jobs";
import type { JsonValue } from "../../server/protocol/value";

const summary: JobSummary = {
  id: "j",
  spec: "*",
  module: "command",
  method: "run",
  argsText: "",
  async: false,
  createdAtMs: 0,
  finished: false,
  cancelRequested: false,
  code: 0,
  total: 2,
  counts: {},
};

function succeeded(value: MinionResult["value"]): MinionResult {
  return { minion: "a", state: "succeeded", value, durationMs: 5 };
}

describe("resultRow", () => {
  it("shows exit status and first line of a command", () => {
    const row = resultRow(succeeded([0, "\n\n hello\nworld", ""]), "command", "run");
    expect(row).toEqual({
      minion: "a",
      kind: "succeeded",
      label: "exit 0",
      text: "hello",
      durationMs: 5,
    });
  });

  it("counts a command that exits with an error as failed and quotes stderr", () => {
    const row = resultRow(succeeded([127, "x", "sh: nginx: not found\n"]), "command", "run");
    expect(row).toMatchObject({ kind: "failed", label: "exit 127", text: "sh: nginx: not found" });
  });

  it("takes terminal escapes out and cuts long lines", () => {
    const row = resultRow(succeeded(`\x1b[31mred${"x".repeat(500)}`), "test", "echo");
    expect(row.text).toMatch(/^ \[31mredx+…$/);
    expect(row.text).toHaveLength(241);
  });

  it("shows how a value begins that was left out, else how large it is", () => {
    const left: MinionResult = { minion: "a", state: "succeeded", valueBytes: 2_500_000 };
    expect(resultRow(left, "a", "b").text).toBe("2.5 MB: open the row to see it");
    expect(resultRow({ ...left, excerpt: "begins" }, "a", "b")).toMatchObject({
      label: "succeeded",
      text: "begins",
    });
    expect(resultRow({ ...left, excerpt: "no", exitStatus: 2 }, "command", "run")).toMatchObject({
      kind: "failed",
      label: "exit 2",
      text: "no",
    });
  });

  it("shows how large outputs begin", () => {
    const output = (head: string, kind: string): JsonValue => ({
      $output: { sha256: "0", bytes: 100_000_000, kind, head },
    });
    const row = resultRow(succeeded([0, output("\nfirst\nsecond", "text"), ""]), "command", "run");
    expect(row.text).toBe("first");
    expect(resultRow(succeeded(output("", "bytes")), "a", "b").text).toBe("100 MB");
    expect(resultRow(succeeded({ log: output("first", "text") }), "a", "b").text).toBe(
      '{"log":"first"}',
    );
  });

  it("decodes bytes", () => {
    expect(resultRow(succeeded({ $base64: "aGk=" }), "test", "echo").text).toBe("hi");
  });
});

describe("JobState", () => {
  const progress = (seq: number, results: MinionResult[] = []): JobProgress => ({
    seq,
    summary: { ...summary, finished: seq > 3 },
    results,
  });

  it("applies what follows and tells old and missing progress apart", () => {
    const job = new JobState(progress(2, [{ minion: "a", state: "queued" }]));
    expect(job.apply(progress(2))).toBe("old");
    expect(job.apply(progress(4))).toBe("gap");
    expect(job.apply(progress(3, [succeeded([0, "", ""])]))).toHaveLength(1);
    expect(job.rows.get("a")?.kind).toBe("succeeded");
    expect(job.apply(progress(4))).toEqual([]);
    expect(job.summary.finished).toBe(true);
  });
});

it("formats sizes", () => {
  expect([999, 1_500, 64_000, 2_000_000_000].map(formatBytes)).toEqual([
    "999 bytes",
    "1.5 kB",
    "64 kB",
    "2.0 GB",
  ]);
});
