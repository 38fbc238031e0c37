import { describe, expect, it } from "vitest";
import { jobTable } from "../../server/cli/jobTable";
import type { JobSummary } from "../../server/protocol/jobs";

const NOW = Date.UTC(2026, 10, 22, 8, 30, 5);

function job(more: Partial<JobSummary>): JobSummary {
  return {
    id: "web*-command-run-1795386359.307000",
    spec: "web*",
    module: "command",
    method: "run",
    argsText: '"uptime"',
    async: false,
    createdAtMs: NOW,
    finished: true,
    cancelRequested: false,
    code: 1,
    total: 3,
    counts: { succeeded: 3 },
    ...more,
  };
}

const long = job({
  argsText: `"${"x".repeat(200)}"`,
  async: true,
  delegate: true,
  batch: { size: "10%" },
  total: 10_000,
  counts: { succeeded: 9_000, "timed-out": 500, queued: 500 },
  finished: false,
});

describe("jobs in a table", () => {
  it("are whole where nobody's terminal is in the way", () => {
    expect(jobTable([job({})])).toEqual({
      isShort: false,
      text:
        "2026-11-22 08:30:05  finished  web*-command-run-1795386359.307000  " +
        'command.run "uptime"  3 succeeded\n',
    });
    const { text } = jobTable([long]);
    expect(text).toContain(`"${"x".repeat(200)}" (async, delegated, in steps)  `);
    expect(text).toContain("9000 succeeded, 500 timed-out, 500 queued");
  });

  it("have calls cut by an ellipsis where that is enough, with what kind they are", () => {
    const { text, isShort } = jobTable([job({}), long], 180);
    expect(isShort).toBe(false);
    expect(text).toMatch(/"x+… \(async, delegated, in steps\) {2}9000 succeeded/);
    for (const line of text.trimEnd().split("\n")) expect(line.length).toBeLessThanOrEqual(180);
  });

  it("are one line each on a narrow terminal", () => {
    const above = job({ originator: "top", delegate: true, failedCommands: 1 });
    const { text, isShort } = jobTable([job({}), long, above], 80);
    expect(isShort).toBe(true);
    const lines = text.trimEnd().split("\n");
    expect(lines[0]).toMatch(
      /^11-22 08:30 {2}finished {2}1795386359.307000 {2}- {4}command\.run "/,
    );
    expect(lines[1]).toMatch(
      / {2}running {3}1795386359.307000 {2}ads {2}command\.run.*… {2}9500\/10000 ended$/,
    );
    expect(lines[2]).toMatch(/ {2}f {4}command.* {2}2\/3 ok$/);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  });
});
