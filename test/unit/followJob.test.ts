import { describe, expect, it } from "vitest";
import { followCall, followJob, type FollowOptions } from "../../server/client/followJob";
import { FuncError } from "../../server/common/errors";
import type { JobProgress, JobSummary, MinionResult } from "../../server/protocol/jobs";
import { FakeOverlord, type Answers } from "../fixtures/fakeOverlord";

const JOB: JobSummary = {
  id: "j1",
  spec: "*",
  module: "test",
  method: "ping",
  argsText: "",
  async: true,
  createdAtMs: 0,
  finished: false,
  cancelRequested: false,
  code: 3,
  total: 3,
  counts: {},
};
const done = (minion: string, rest: Partial<MinionResult> = {}): MinionResult => ({
  minion,
  state: "succeeded",
  value: minion,
  ...rest,
});
const stands = (results: MinionResult[], finished = false): JobProgress => ({
  seq: 1,
  summary: { ...JOB, finished },
  results,
});

/** Follows the job of an overlord that first tells `first`. */
function follow(
  first: JobProgress,
  { answers, ...options }: Partial<FollowOptions> & { answers?: Answers } = {},
): { overlord: FakeOverlord; seen: string[]; end: Promise<JobSummary> } {
  const overlord = new FakeOverlord({ "jobs/watch": () => first, ...answers });
  const seen: string[] = [];
  const end = followJob(overlord, "j1", {
    ...options,
    onResult: (result) => {
      seen.push(result.minion);
      return options.onResult?.(result);
    },
  });
  return { overlord, seen, end };
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

describe("following a job", () => {
  it("reports each minion once over a lost connection, and tells of it", async () => {
    let reconnected = 0;
    const { overlord, seen, end } = follow(stands([done("a")]), {
      onReconnected: () => {
        reconnected++;
      },
    });
    await settled();
    overlord.notify("jobs/progress", stands([done("b")]));
    await settled();
    overlord.answers["jobs/watch"] = () => stands([done("a"), done("b")]);
    overlord.lose();
    await settled();
    overlord.notify("jobs/progress", stands([done("c"), done("a")], true));
    expect(await end).toMatchObject({ finished: true });
    expect(seen).toEqual(["a", "b", "c"]);
    expect(reconnected).toBe(1);
    expect(overlord.asked("calls/start")).toEqual([]);
  });

  it("asks for what a finished job did not tell", async () => {
    const { overlord, seen, end } = follow(stands([]));
    await settled();
    overlord.answers["jobs/watch"] = () => stands([done("a"), done("b"), done("c")], true);
    overlord.notify("jobs/progress", stands([done("b")], true));
    await end;
    expect(seen).toEqual(["b", "a", "c"]);
  });

  it("never starts a call twice", async () => {
    const overlord = new FakeOverlord({
      "calls/start": () => {
        overlord.lose();
        throw new FuncError("unavailable", "the connection closed");
      },
    });
    const params = { spec: "*", module: "test", method: "ping", args: [] };
    await expect(followCall(overlord, params, { onResult: () => undefined })).rejects.toMatchObject(
      { reason: "unavailable" },
    );
    expect(overlord.asked("calls/start")).toHaveLength(1);
  });

  it("says so where the job went with the overlord", async () => {
    const { overlord, end } = follow(stands([done("a")]));
    await settled();
    overlord.answers["jobs/watch"] = () => {
      throw new FuncError("not-found", "no such job");
    };
    overlord.lose();
    await expect(end).rejects.toMatchObject({
      reason: "unavailable",
      message: expect.stringContaining("went away while the job j1 ran") as string,
    });
  });

  it("gives an overlord up that goes away again and again", async () => {
    const { overlord, end } = follow(stands([]), {
      answers: {
        "jobs/watch": () => {
          setTimeout(() => overlord.lose(), 1);
          return stands([]);
        },
      },
    });
    await expect(end).rejects.toMatchObject({ reason: "unavailable" });
    expect(overlord.connections.length).toBe(6);
  });

  it("ends with the last of the minions that are meant", async () => {
    const { overlord, seen, end } = follow(stands([done("a")]), { minions: new Set(["b"]) });
    await settled();
    overlord.notify("jobs/progress", stands([done("b"), done("c")]));
    expect(await end).toMatchObject({ finished: false });
    expect(seen).toEqual(["b"]);
  });

  it("leaves out what is no news, such as results before a retry", async () => {
    const { overlord, seen, end } = follow(stands([done("a"), done("b", { state: "queued" })]), {
      isNews: ({ attempt = 1 }) => attempt > 1,
    });
    await settled();
    overlord.notify("jobs/progress", stands([done("b", { attempt: 2 }), done("c")], true));
    await end;
    expect(seen).toEqual(["b"]);
  });

  it("stops by its signal, and leaves the job alone", async () => {
    const controller = new AbortController();
    const { overlord, end } = follow(stands([]), { signal: controller.signal });
    await settled();
    controller.abort();
    await expect(end).rejects.toMatchObject({ reason: "cancelled" });
    expect(overlord.asked("jobs/cancel")).toEqual([]);
  });
});
