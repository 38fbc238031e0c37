import { describe, expect, it } from "vitest";
import { parseCommandLine } from "../../server/cli/parse";

function command(...words: string[]): unknown {
  return parseCommandLine(["ca", ...words]).command;
}

describe("func ca revoke", () => {
  it("takes names, serial numbers, a role and a reason", () => {
    expect(command("revoke", "WEB1", "web2", "web1")).toEqual({
      kind: "caRevoke",
      params: { names: ["web1", "web2"], serials: [] },
      yes: false,
    });
    expect(command("revoke", "--operator", "ann", "--reason", "left", "-y")).toEqual({
      kind: "caRevoke",
      params: { names: ["ann"], serials: [], role: "operator", reason: "left" },
      yes: true,
    });
    expect(command("revoke", "--serial", "0A:1b", "--serial=2c")).toEqual({
      kind: "caRevoke",
      params: { names: [], serials: ["0A1b", "2c"] },
      yes: false,
    });
  });

  it.each([
    [[]],
    [["--operator"]],
    [["--operator", "--overlord", "ann"]],
    [["--serial", "xyz"]],
    [["--serial", ""]],
    [["web1", "--serial", "2c"]],
    [["../etc"]],
    [["web1", "--replace"]],
  ])("refuses %j", (words) => {
    expect(() => command("revoke", ...words)).toThrow(
      expect.objectContaining({ reason: "bad-argument" }),
    );
  });
});

describe("func ca crl", () => {
  it("takes a file", () => {
    expect(command("crl")).toEqual({ kind: "caCrl" });
    expect(command("crl", "--out", "x.pem")).toEqual({ kind: "caCrl", out: "x.pem" });
    for (const words of [["--out", ""], ["x.pem"]]) {
      expect(() => command("crl", ...words)).toThrow();
    }
  });
});
