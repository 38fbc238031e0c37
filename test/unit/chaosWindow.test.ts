import { expect, it } from "vitest";
import type { OverlordConnection } from "../../server/client/connection";
import type { OverlordTarget } from "../../server/client/stopOverlord";
import type { JobProgress, JobSummary } from "../../server/protocol/jobs";
import { ChaosWindow } from "../chaos/chaosWindow";

const TARGET: OverlordTarget = {
  dataDirectory: "/nowhere",
  kind: "cli",
  version: "0",
  launch: { execPath: "/nowhere", script: "/nowhere" },
};
const LONG_AGO_MS = 60_000;

function summary(change: Partial<JobSummary>): JobSummary {
  return {
    id: "web-test-ping-1",
    spec: "web",
    module: "test",
    method: "ping",
    argsText: "",
    async: false,
    createdAtMs: Date.now() - LONG_AGO_MS,
    finished: false,
    cancelRequested: false,
    code: 0,
    total: 1,
    counts: {},
    ...change,
  };
}

function endedJob(): JobSummary {
  return summary({ finished: true, finishedAtMs: Date.now() - LONG_AGO_MS });
}

function windowOf(connection: OverlordConnection): ChaosWindow {
  const options = { open: () => Promise.resolve(connection), askAfterMs: 100 };
  return new ChaosWindow("window 1", TARGET, () => true, options);
}

/** An overlord that answers with `answers` and tells what `tell` is given. */
function overlord(answers: (method: string) => unknown): {
  connection: OverlordConnection;
  tell: (progress: JobProgress) => void;
  asked: string[];
} {
  let tell: (progress: JobProgress) => void = () => undefined;
  const asked: string[] = [];
  const connection = {
    request: (method: string) => {
      asked.push(method);
      return Promise.resolve(answers(method));
    },
    on: (name: string, listener: (params: JobProgress) => void) => {
      if (name === "jobs/progress") tell = listener;
      return { dispose: () => undefined };
    },
    onClose: () => ({ dispose: () => undefined }),
    dispose: () => undefined,
  } as unknown as OverlordConnection;
  const forward = (progress: JobProgress): void => {
    tell(progress);
  };
  return { connection, tell: forward, asked };
}

const CALL = { spec: "web", module: "test", method: "ping", args: [], async: false };

it("keeps what it is told of a job before the answer to its start", async () => {
  const ended = endedJob();
  const { connection, tell, asked } = overlord((method) => {
    const progress = { seq: 1, summary: ended, results: [] };
    if (method === "jobs/watch") return progress;
    // the line in the audit log, which comes before the answer, may take longer than the job
    tell(progress);
    return summary({});
  });
  const window = windowOf(connection);
  expect(await window.start(CALL, "token")).toBe(ended.id);
  expect(await window.finished(ended.id)).toEqual(ended);
  expect(asked).toEqual(["calls/start"]);
  expect(window.untold).toEqual([]);
});

it("notes an end that only its question brought out, with what it knew before", async () => {
  const ended = endedJob();
  const { connection, tell } = overlord((method) =>
    method === "jobs/watch" ? { seq: 9, summary: ended, results: [] } : summary({}),
  );
  const window = windowOf(connection);
  await window.start(CALL, "token");
  await new Promise((resolve) => setTimeout(resolve, 5)); // later than the connection
  tell({ seq: 4, summary: summary({ counts: { running: 1 } }), results: [] });
  expect(await window.finished(ended.id)).toEqual(ended);
  expect(window.untold).toHaveLength(1);
  expect(window.untold[0]).toContain(`${ended.id}: its end was not told to window 1`);
  expect(window.untold[0]).toContain('"seq":4');
  expect(window.untold[0]).toContain('"now":{"seq":9');
});
