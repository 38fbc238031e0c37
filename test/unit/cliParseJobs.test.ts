import { describe, expect, it } from "vitest";
import { helpText } from "../../server/cli/help";
import { parseCommandLine, type Command } from "../../server/cli/parse";

const HOUR_MS = 3_600_000;

function command(...words: string[]): Command {
  return parseCommandLine(words).command;
}

function problem(...words: string[]): string {
  try {
    parseCommandLine(words);
  } catch (error) {
    expect(error).toMatchObject({ reason: "bad-argument" });
    return (error as Error).message;
  }
  throw new Error(`no error for: ${words.join(" ")}`);
}

describe("func jobs", () => {
  it("lists, with filters", () => {
    expect(command("jobs")).toEqual({ kind: "jobsList", query: {} });
    expect(command("jobs", "list", "--last", "5")).toEqual({
      kind: "jobsList",
      query: {},
      last: 5,
    });
    const from = Date.now();
    const list = command(
      ...["jobs", "list", "--state", "problems", "--minion", "web*", "--module=command"],
      ...["--method", "run", "--since", "2h", "--until", "2026-11-22T08:30Z"],
    );
    expect(list).toEqual({
      kind: "jobsList",
      query: {
        state: "problems",
        minion: "web*",
        module: "command",
        method: "run",
        sinceMs: expect.any(Number) as number,
        untilMs: Date.UTC(2026, 10, 22, 8, 30),
      },
    });
    expect(command("jobs", "--state", "problems", "--last=2")).toEqual({
      kind: "jobsList",
      query: { state: "problems" },
      last: 2,
    });
    expect(problem("jobs", "--state", "problems", "show", "last")).toBe(
      'Options of "jobs show" stand behind the word "show".',
    );
    expect(problem("jobs", "show", "last", "--state", "problems")).toContain("--state");
    const { sinceMs = 0 } = list.kind === "jobsList" ? list.query : {};
    expect(Math.abs(sinceMs - (from - 2 * HOUR_MS))).toBeLessThan(60_000);
  });

  it("takes one job", () => {
    const job = "*-command-run-1795305473.670517";
    expect(command("jobs", "cancel", job)).toEqual({ kind: "jobsCancel", job });
    expect(command("jobs", "follow", "last")).toEqual({ kind: "jobsFollow", job: "last" });
    expect(command("jobs", "follow", "last", "--minion", "a*")).toEqual({
      kind: "jobsFollow",
      job: "last",
      minion: "a*",
    });
    expect(command("jobs", "show", "--attempts", job, "--minion=web1")).toEqual({
      kind: "jobsShow",
      job,
      minion: "web1",
      attempts: true,
    });
    expect(parseCommandLine(["jobs", "retry", "last", "-n"])).toMatchObject({
      command: { kind: "jobsRetry", job: "last" },
      options: { nopoll: true },
    });
    for (const action of ["show", "follow", "cancel", "retry"]) {
      expect(problem("jobs", action)).toContain(`jobs ${action} needs the id of a job`);
      expect(problem("jobs", action, "")).toContain("needs the id");
      expect(problem("jobs", action, "a", "b")).toContain('"b" is too much');
    }
  });

  it("deletes what is named, or what is old", () => {
    const named = { kind: "jobsDelete", jobs: ["a", "b"], yes: false };
    expect(command("jobs", "delete", "a", "b")).toEqual(named);
    expect(command("jobs", "delete", "--older-than", "2026-11-22", "--yes")).toEqual({
      kind: "jobsDelete",
      jobs: [],
      untilMs: Date.UTC(2026, 10, 22),
      yes: true,
    });
    expect(problem("jobs", "delete")).toContain("--older-than 3d");
    expect(problem("jobs", "delete", "")).toContain("empty");
    expect(problem("jobs", "delete", "a", "--older-than", "3d")).toContain("either");
    expect(problem("jobs", "delete", "--older-than", "soon")).toContain(
      "--older-than needs a time",
    );
  });

  it("searches in what the filters leave", () => {
    expect(command("jobs", "search", "no space", "--minion", "db*", "--match-case")).toEqual({
      kind: "jobsSearch",
      text: "no space",
      query: { minion: "db*" },
      matchCase: true,
    });
    expect(problem("jobs", "search")).toContain("a text");
    expect(problem("jobs", "search", "")).toContain("a text");
  });

  it("refuses what it does not know, and says what there is", () => {
    expect(problem("jobs", "watch", "x")).toContain("list, show, follow, cancel, retry");
    expect(problem("jobs", "list", "--state", "done")).toContain("running, finished or problems");
    for (const empty of ["", " ", ";", " ; "]) {
      expect(problem("jobs", "retry", "last", "--minion", empty)).toContain("--minion needs");
    }
    expect(problem("jobs", "list", "--minion", "a".repeat(1_001))).toContain("1000 characters");
    expect(problem("jobs", "list", "--last", "0")).toContain("--last");
    expect(problem("jobs", "cancel", "x", "--minion", "a")).toContain("--minion");
    expect(problem("jobs", "list", "-n")).toContain("--nopoll goes with --async only");
    expect(helpText("jobs")).toContain("func jobs search TEXT");
  });
});

describe("options of a call", () => {
  const calls = (...words: string[]): unknown =>
    parseCommandLine([...words, "*", "call", "command", "run", "ls"]).options.calls;

  it("say how it goes over its minions", () => {
    expect(calls()).toEqual({});
    expect(calls("--batch", "10%", "--canary", "web1;web2", "--max-errors=0")).toEqual({
      batch: { size: "10%", canary: "web1;web2" },
      maxErrors: 0,
    });
    expect(calls("-a", "--delivery-limit", "90.5")).toEqual({ deliveryLimitMs: 90_500 });
  });

  it("are refused where they are wrong or do nothing", () => {
    for (const size of ["0", "0%", "101%", "-1", "ten", "", "1.5"]) {
      expect(problem("--batch", size, "*", "call", "a", "b")).toContain("--batch needs");
    }
    expect(problem("--canary", " ", "*", "call", "a", "b")).toContain("--canary needs");
    expect(problem("--max-errors", "many", "*", "call", "a", "b")).toContain("--max-errors needs");
    expect(problem("--delivery-limit", "5", "*", "call", "a", "b")).toContain("--async only");
    expect(problem("--batch", "5", "*", "ping")).toContain("--batch goes with call only");
    expect(problem("--canary", "a", "jobs", "list")).toContain("--canary goes with call only");
  });
});
