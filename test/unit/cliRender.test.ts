import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { callArguments } from "../../server/cli/callArguments";
import { inertText } from "../../server/common/inertText";
import type { Piece } from "../../server/cli/pieces";
import { plainJson } from "../../server/cli/plainJson";
import {
  commandStatus,
  renderCode,
  renderFailure,
  renderPing,
  renderResult as resultPieces,
  renderStatusEntry,
  renderSummary,
} from "../../server/cli/render";
import { withNextStep } from "../../server/cli/resultStep";
import { nameWithWay } from "../../server/cli/resultWay";
import type { MinionResult } from "../../server/protocol/jobs";
import type { JsonValue } from "../../server/protocol/value";

/** The pieces of small values are all text. */
function textOf(pieces: Iterable<Piece>): string {
  return Array.from(pieces, (piece) => (typeof piece === "string" ? piece : "?")).join("");
}

function renderResult(minion: string, value: JsonValue): string {
  return textOf(resultPieces(minion, value));
}

describe("results for people", () => {
  it("shows a command with its exit status, output and errors", () => {
    expect(renderResult("web1", [2, "a\n\nb\n", "no such file\n"])).toBe(
      "web1: exit status 2\n    a\n\n    b\n  stderr:\n    no such file\n",
    );
    expect(renderResult("web1", [0, "", ""])).toBe("web1: exit status 0\n");
  });

  it("shows other values compactly, strings as they are", () => {
    expect(renderResult("a", 1)).toBe("a: 1\n");
    expect(renderResult("a", "two\nlines")).toBe("a:\n    two\n    lines\n");
    expect(renderResult("a", null)).toBe("a: null\n");
    expect(renderResult("a", { n: 1, list: ["x", { y: true }], none: [] })).toBe(
      "a:\n    n: 1\n    list:\n      - x\n      - y: true\n    none: []\n",
    );
    expect(renderResult("a", { $dateTime: "20260131T12:00:00" })).toBe("a: 20260131T12:00:00\n");
  });

  it("shows failures with their cause and what to do", () => {
    const error = {
      type: "socket.error",
      message: "web1 refused.",
      trace: "",
      nextStep: "Start it.",
    };
    expect(renderFailure("web1", "unreachable", error)).toBe(
      "web1: unreachable: web1 refused.\n    Start it.\n",
    );
    expect(renderFailure("web1", "failed", { ...error, nextStep: undefined })).toBe(
      "web1: failed (socket.error): web1 refused.\n",
    );
    const said = (who: string, state: "lost" | "cancelled", message: string) =>
      renderFailure(who, state, { type: "x", message, trace: "" });
    expect(said("web1@mid1 (via mid1)", "lost", "web1: lost at hop mid1: it is off.")).toBe(
      "web1@mid1 (via mid1): lost at hop mid1: it is off.\n",
    );
    expect(said("web1", "cancelled", "Cancelled; web1 has stopped the job.")).toBe(
      "web1: cancelled: web1 has stopped the job.\n",
    );
    expect(said("web1", "cancelled", "Cancelled before it began.")).toBe(
      "web1: cancelled before it began.\n",
    );
    expect(said("web1", "lost", "web1: the hop is off.")).toBe("web1: lost: the hop is off.\n");
    expect(renderPing({ minion: "a", state: "succeeded", value: 1 })).toBe("[ ok ... ] a\n");
    expect(renderPing({ minion: "a", state: "unreachable", error })).toBe(
      "[ FAILED ] a  web1 refused.\n    Start it.\n",
    );
  });

  it("says what to do where the call itself was wrong", () => {
    const step = (type: string, module: string, method: string): string | undefined =>
      withNextStep(
        { minion: "web1", state: "failed", error: { type, message: "no", trace: "" } },
        { module, method },
      ).error?.nextStep;
    expect(step("exceptions.TypeError", "command", "run")).toContain('"ls -l /tmp"');
    expect(step("exceptions.TypeError", "test", "add")).toBeUndefined();
    expect(step("func.minion.codes.InvalidMethodException", "command", "rum")).toBe(
      "func web1 methods command shows what there is.",
    );
    expect(step("func.minion.codes.ModuleNotFoundException", "comand", "run")).toBe(
      "func web1 methods shows what there is.",
    );
  });

  it("says where the advice of a sub-overlord is to be followed", () => {
    const step = (
      nextStep: string | undefined,
      more: Partial<MinionResult>,
    ): string | undefined => {
      const error = {
        type: "socket.error",
        message: "no",
        trace: "",
        ...(nextStep && { nextStep }),
      };
      const result = { minion: "web1", state: "unreachable" as const, error, ...more };
      return withNextStep(result, { module: "test", method: "ping" }).error?.nextStep;
    };
    const via = ["mid1", "mid3"];
    const address = "Correct the port: func address NAME HOST:PORT.";
    expect(step(address, {})).toBe(address);
    expect(step(address, { via })).toBe(`At mid1/mid3: ${address}`);
    expect(step("Look at DNS.", { via })).toBe("At mid1/mid3: Look at DNS.");
    expect(step("Renew it: func ca renew.", { via, state: "failed" })).toMatch(/^At mid1\/mid3: /);
    const own = ["Build the map again: func build-map.", '"func jobs cancel" stops it.'];
    for (const text of own) expect(step(text, { via })).toBe(text);
    expect(step("Look at mid3.", { via, failedHop: "mid3" })).toBe("Look at mid3.");
    expect(step("It may have run.", { via, state: "lost" })).toBe("It may have run.");
    const type = "func.minion.codes.ModuleNotFoundException";
    const lacking = { type, message: "no", trace: "" };
    expect(step(undefined, { via, state: "failed", error: lacking })).toBe(
      "func web1 --delegate methods shows what there is.",
    );
  });

  it("names the way of a result, and who vouches for it", () => {
    const web1 = { minion: "web1", state: "succeeded" as const };
    expect(nameWithWay(web1)).toBe("web1");
    expect(nameWithWay({ ...web1, via: ["mid1", "mid3"], signed: "yes" })).toBe(
      "web1 (via mid1/mid3, signed)",
    );
    expect(nameWithWay({ ...web1, via: ["mid1"], signed: "first" })).toBe(
      "web1 (via mid1, signed, by a key seen for the first time)",
    );
    expect(nameWithWay({ ...web1, via: ["mid1"], signed: "no" })).toBe(
      "web1 (via mid1, not signed)",
    );
    expect(nameWithWay({ ...web1, via: ["mid1"] })).toBe("web1 (via mid1)");
  });

  it("knows a command's exit status by the shape of the result", () => {
    expect(commandStatus([2, { $base64: "/w==" }, ""])).toBe(2);
    expect(commandStatus([2, 3, ""])).toBeUndefined();
    expect(commandStatus("text")).toBeUndefined();
    expect(commandStatus(undefined)).toBeUndefined();
  });

  it("sums up", () => {
    expect(renderSummary(["unreachable", "succeeded", "succeeded"], 440)).toBe(
      "2 ok, 1 unreachable in 0.4 s\n",
    );
    expect(renderSummary(["succeeded", "failed", "succeeded"], 100, { failedCommands: 1 })).toBe(
      "1 ok, 1 with another exit status than 0, 1 failed in 0.1 s\n",
    );
    expect(renderSummary(["succeeded"], 100, { failedCommands: 1 })).toBe(
      "1 with another exit status than 0 in 0.1 s\n",
    );
    expect(renderSummary(["cancelled", "succeeded", "cancelled"], 0, { notBegun: 1 })).toBe(
      "1 ok, 2 cancelled (1 not begun) in 0.0 s\n",
    );
    expect(renderSummary([], 0)).toBe("no minions in 0.0 s\n");
  });

  it("shows a job's code and results as they stand", () => {
    expect(renderCode(0)).toBe("0 JOB_ID_RUNNING\n");
    expect(renderCode(3, { counts: { succeeded: 1, running: 1, unreachable: 1 }, total: 3 })).toBe(
      "3 JOB_ID_PARTIAL: 1 of 3 have answered\n",
    );
    const entry = (value: JsonValue): string => textOf(renderStatusEntry("a", value));
    expect(entry(["REMOTE_ERROR", "T", "why", ""])).toBe("a: REMOTE_ERROR T: why\n");
    expect(entry(1)).toBe("a: 1\n");
  });
});

describe("inertText", () => {
  it("shows what a terminal would obey as its code", () => {
    expect(inertText("\x1b]52;c;eA==\x07\tb\nc\r\x9b31m\u202e")).toBe(
      "\\x1b]52;c;eA==\\x07\tb\nc\\x0d\\x9b31m\\u202e",
    );
    expect(inertText("Grüße, 世界 🌍")).toBe("Grüße, 世界 🌍");
  });

  it("leaves no control character of any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(inertText(text)).not.toMatch(/[^\P{Cc}\t\n]/u);
      }),
    );
  });
});

describe("values", () => {
  it("plainJson drops the marks of types and nothing else", () => {
    expect(
      plainJson({
        text: { $base64: "aGk=" },
        bytes: { $base64: "/w==" },
        when: { $dateTime: "20260131T12:00:00" },
        big: { $int: "9007199254740993" },
        whole: [{ $double: 3 }],
        struct: { $struct: { $base64: "kept" } },
        unknown: { $other: 1 },
      }),
    ).toEqual({
      text: "hi",
      bytes: "/w==",
      when: "20260131T12:00:00",
      big: "9007199254740993",
      whole: [3],
      struct: { $base64: "kept" },
      unknown: { $other: 1 },
    });
  });

  it("arguments are strings, with --typed the JSON that they are", () => {
    const words = ["5", "[1, true]", "plain", '"5"'];
    expect(callArguments(words, false)).toEqual(words);
    expect(callArguments(words, true)).toEqual([5, [1, true], "plain", "5"]);
    const deep = "[".repeat(10_000) + "]".repeat(10_000);
    expect(callArguments([deep], false)).toEqual([deep]);
    expect(() => callArguments([deep], true)).toThrow("deeper than 128");
    expect(() => callArguments(["[1e999]"], true)).toThrow("too large");
  });
});
