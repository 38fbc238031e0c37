import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { JobTracker } from "../../extension/jobs/jobTracker";
import type { JobChange } from "../../extension/jobs/trackedJob";
import type { OverlordSession } from "../../extension/overlordSession";
import { CallWatch } from "../../extension/webviews/callWatch";
import { MapIndex } from "../../extension/webviews/mapIndex";
import type { EndedCall } from "../../extension/webviews/mapProtocol";
import type { ResultRow } from "../../extension/webviews/resultsProtocol";
import type { JobsChanged } from "../../server/protocol/jobs";
import { EventEmitter } from "../fixtures/vscodeStub";

vi.mock("vscode", () => import("../fixtures/vscodeStub"));

const INDEX = new MapIndex("top", [
  {
    name: "mid1",
    children: [
      { name: "leaf1", children: [] },
      { name: "leaf2", children: [] },
    ],
  },
]);

function row(minion: string, kind: ResultRow["kind"]): ResultRow {
  return { minion, kind, label: kind, text: "", via: ["mid1"] };
}

/** A watch on jobs that the test moves on by hand. */
function watched() {
  const jobsChanged = new EventEmitter<JobsChanged>();
  const jobs = new Map<string, EventEmitter<JobChange>>();
  const released: string[] = [];
  const session = {
    onJobsChanged: jobsChanged.event,
    request: () => Promise.resolve({ jobs: [] }),
  } as unknown as OverlordSession;
  const tracker = {
    acquire: (jobId: string) => {
      const changes = new EventEmitter<JobChange>();
      jobs.set(jobId, changes);
      return { jobId, onDidChange: changes.event, state: undefined };
    },
    release: ({ jobId }: { jobId: string }) => released.push(jobId),
  } as unknown as JobTracker;
  const told: { under: number[]; ended: EndedCall[] }[] = [];
  const watch = new CallWatch(session, tracker, INDEX, (under, ended) => {
    told.push({ under, ended });
  });
  const begin = (id: string): void =>
    jobsChanged.fire({ changed: [{ id, finished: false }], removed: [] } as unknown as JobsChanged);
  const rows = (id: string, ...changed: ResultRow[]): void =>
    jobs.get(id)?.fire({ kind: "rows", rows: changed });
  return { watch, told, begin, rows, released };
}

const leaf1 = INDEX.find(["mid1", "leaf1"]) ?? -1;
const leaf2 = INDEX.find(["mid1", "leaf2"]) ?? -1;

describe("CallWatch", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("tells where calls are under way and how they end, many changes at once", () => {
    const { told, begin, rows } = watched();
    begin("a");
    rows("a", row("leaf1", "running"), row("leaf2", "waiting"));
    rows("a", row("leaf2", "running"));
    vi.advanceTimersByTime(200);
    expect(told).toEqual([{ under: [leaf1, leaf2], ended: [] }]);
    rows("a", row("leaf1", "succeeded"), row("leaf2", "unreachable"), row("gone", "succeeded"));
    vi.advanceTimersByTime(200);
    expect(told[1]).toEqual({
      under: [],
      ended: [
        { place: leaf1, well: true },
        { place: leaf2, well: false },
      ],
    });
  });

  it("follows the newest of many jobs, and lets go of all", () => {
    const { watch, begin, released } = watched();
    for (let at = 0; at < 10; at++) begin(`job${at}`);
    expect(released).toEqual(["job0", "job1"]);
    watch.dispose();
    expect(released).toHaveLength(10);
  });
});
