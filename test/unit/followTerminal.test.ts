import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FollowTerminal } from "../../extension/jobs/followTerminal";
import type { OutputNews } from "../../extension/jobs/jobOutputs";
import type { Services } from "../../extension/services";
import type { JobSummary } from "../../server/protocol/jobs";
import { EventEmitter } from "../fixtures/vscodeStub";

vi.mock("vscode", () => import("../fixtures/vscodeStub"));

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const running = {
  id: "j",
  spec: "web*",
  module: "command",
  method: "run",
  argsText: '"\x1b[2Jdate"',
  finished: false,
  total: 2,
  counts: { running: 2 },
} as JobSummary;
const finished = { ...running, finished: true, counts: { succeeded: 2 } } as JobSummary;

/** The terminal, what it wrote without colours, and what happens to its job. */
function opened() {
  const changes = new EventEmitter<void>();
  const job = { state: { summary: running }, onDidChange: changes.event };
  let tell: (news: OutputNews) => void = () => undefined;
  const letGo: string[] = [];
  const services = {
    jobs: { acquire: () => job, release: () => letGo.push("job") },
    jobOutputs: {
      follow: (_: string, listener: (news: OutputNews) => void) => {
        tell = listener;
        return { dispose: () => letGo.push("output") };
      },
    },
  } as unknown as Services;
  const terminal = new FollowTerminal(services, running);
  const written: string[] = [];
  let closed = false;
  terminal.onDidWrite((text) => written.push(text));
  terminal.onDidClose(() => (closed = true));
  terminal.open();
  return {
    terminal,
    letGo,
    lines: () =>
      written
        .join("")
        .replaceAll(/\x1b\[\d+m/g, "")
        .split("\r\n")
        .slice(2),
    whole: () => written.join(""),
    isClosed: () => closed,
    tell: (news: Partial<OutputNews>) => tell({ lines: [], ended: [], problems: [], ...news }),
    finish: () => {
      job.state = { summary: finished };
      changes.fire();
    },
  };
}

it("writes each line with its minion, marks stderr, and ends with the job", async () => {
  const { lines, tell, finish, terminal, isClosed, letGo, whole } = opened();
  tell({ lines: [{ minion: "web10", stream: "stdout", text: "one" }] });
  tell({ lines: [{ minion: "web1", stream: "stderr", text: "two" }] });
  expect(lines()).toEqual(["web10 | one", "web1  ! two", ""]);
  expect(whole()).not.toContain("\x1b[2J");
  tell({ ended: ["web1", "web10"] });
  finish();
  await vi.advanceTimersByTimeAsync(0);
  expect(lines().slice(2, 4)).toEqual([
    "— The job has finished: 2 succeeded.",
    "— Press any key to close.",
  ]);
  expect(letGo).toEqual(["output", "job"]);
  terminal.handleInput("q");
  expect(isClosed()).toBe(true);
});

it("waits a moment for last words, tells a problem once, and stops on Ctrl+C", async () => {
  const first = opened();
  first.finish();
  first.tell({ lines: [{ minion: "web1", stream: "stdout", text: "late" }] });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(first.lines()).toEqual(["web1 | late", ""]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(first.lines()[1]).toContain("The job has finished");
  const second = opened();
  second.tell({ problems: ["web1: too old"] });
  second.tell({ problems: ["web1: too old"] });
  expect(second.lines()).toEqual(["— web1: too old", ""]);
  second.terminal.handleInput("\x03");
  expect(second.lines()[1]).toBe("— No longer followed; the job goes on.");
  expect(second.isClosed()).toBe(false);
});
