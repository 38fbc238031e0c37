import { describe, expect, it } from "vitest";
import { parseCommandLine } from "../../server/cli/parse";

function command(...words: string[]): unknown {
  return parseCommandLine(["ca", "rotate", ...words]).command;
}

describe("func ca rotate", () => {
  it("starts, tells, finishes and takes back", () => {
    const plain = { kind: "caRotate", withoutMissing: false, yes: false, stdin: false };
    expect(command()).toEqual({ ...plain, action: "start" });
    expect(command("--stdin")).toEqual({ ...plain, action: "start", stdin: true });
    expect(command("--status")).toEqual({ ...plain, action: "status" });
    expect(command("--abort")).toEqual({ ...plain, action: "abort" });
    expect(command("--finish", "--without-those-missing", "-y")).toEqual({
      ...plain,
      action: "finish",
      withoutMissing: true,
      yes: true,
    });
  });

  it.each([
    [["--finish", "--abort"]],
    [["--without-those-missing"]],
    [["--status", "--without-those-missing"]],
    [["web1"]],
  ])("refuses %j", (words) => {
    expect(() => command(...words)).toThrow();
  });
});
