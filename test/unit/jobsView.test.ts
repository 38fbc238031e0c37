import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { OverlordSession } from "../../extension/overlordSession";
import { dayLabel, dayOf, isDay } from "../../extension/views/jobDays";
import type { JobNode } from "../../extension/views/jobNode";
import { JobsModel } from "../../extension/views/jobsModel";
import { JobsTree } from "../../extension/views/jobsTree";
import { jobTooltip } from "../../extension/views/jobTooltip";
import type { JobQuery, JobsChanged, JobSummary } from "../../server/protocol/jobs";
import { EventEmitter } from "../fixtures/vscodeStub";

vi.mock("vscode", () => import("../fixtures/vscodeStub"));

/** Noon, so that hours to and fro are the same day. */
const NOW_MS = new Date(2026, 4, 13, 12).getTime();
const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

beforeEach(() => {
  vi.useFakeTimers({ now: NOW_MS });
});
afterEach(() => {
  vi.useRealTimers();
});

function job(id: string, agoMs: number, more: Partial<JobSummary> = {}): JobSummary {
  const finished = more.finished ?? true;
  return {
    id,
    spec: "web*",
    module: "command",
    method: "run",
    argsText: '"uptime"',
    async: false,
    createdAtMs: NOW_MS - agoMs,
    finished,
    ...(finished && { finishedAtMs: NOW_MS - agoMs + 90_000 }),
    cancelRequested: false,
    code: finished ? 1 : 0,
    total: 4,
    counts: finished ? { succeeded: 4 } : { succeeded: 1, running: 3 },
    ...more,
  };
}

/** An overlord with these jobs, of which a window hears as one does. */
class Overlord {
  readonly jobs = new Map<string, JobSummary>();
  readonly changed = new EventEmitter<JobsChanged>();
  readonly model: JobsModel;
  readonly tree: JobsTree;
  asked = 0;

  constructor(...jobs: JobSummary[]) {
    for (const one of jobs) this.jobs.set(one.id, one);
    const session = {
      onJobsChanged: this.changed.event,
      request: (_: string, query: JobQuery & { limit: number; cursor?: string }) =>
        Promise.resolve(this.list(query)),
    };
    this.model = new JobsModel(session as unknown as OverlordSession);
    this.tree = new JobsTree(this.model, async () => {
      if (!this.model.loaded) await this.model.load();
    });
  }

  tell(...changed: JobSummary[]): void {
    for (const one of changed) this.jobs.set(one.id, one);
    this.changed.fire({ changed, removed: [] });
  }

  /** "label: description" of all rows, those below others indented. */
  async rows(parent?: JobNode, indent = ""): Promise<string[]> {
    const nodes = await this.tree.getChildren(parent);
    const rows = nodes.map(async (node) => {
      const { label, description = "" } = this.tree.getTreeItem(node);
      const row = `${indent}${label as string}: ${description as string}`.replace(/: $/, "");
      return [row, ...(await this.rows(node, `${indent}  `))];
    });
    return (await Promise.all(rows)).flat();
  }

  private list({
    state,
    text,
    untilMs = NOW_MS,
    limit,
    cursor,
  }: JobQuery & { limit: number; cursor?: string }) {
    this.asked++;
    const from = Number(cursor ?? 0);
    const fitting = [...this.jobs.values()]
      .filter(({ finished }) => (state === undefined ? true : (state === "running") !== finished))
      .filter(({ counts, total }) => state !== "problems" || counts.succeeded !== total)
      .filter(({ createdAtMs }) => createdAtMs <= untilMs)
      .filter(({ argsText }) => text === undefined || argsText.includes(text))
      .sort((a, b) => b.createdAtMs - a.createdAtMs);
    const next = from + limit < fitting.length ? { next: String(from + limit) } : {};
    return { jobs: fitting.slice(from, from + limit), ...next };
  }
}

it("shows running jobs with their progress, then finished ones by day, newest first", async () => {
  const overlord = new Overlord(
    job("a", 2 * DAY_MS),
    job("b", DAY_MS, { counts: { succeeded: 3, failed: 1 } }),
    job("c", HOUR_MS, { counts: { unreachable: 4 } }),
    job("d", 2 * HOUR_MS, { spec: "db1", total: 1, counts: { succeeded: 1 } }),
    job("e", 0, { finished: false, total: 100, counts: { succeeded: 9, failed: 3, running: 88 } }),
    job("p", 0, { background: true }),
  );
  const days = [0, 1, 2].map((ago) => dayLabel(dayOf(NOW_MS - ago * DAY_MS)));
  expect(days.slice(0, 2)).toEqual(["Today", "Yesterday"]);
  expect((await overlord.rows()).map((row) => row.replace(/\d+:\d+ [AP]M/, "TIME"))).toEqual([
    "Running: 1",
    "  uptime: 12 of 100, 3 failed · web*",
    "Today: 2 · 1 with problems",
    "  uptime: 4 of 4 failed · web* · TIME",
    "  uptime: db1 · TIME",
    "Yesterday: 1 · 1 with problems",
    "  uptime: 1 of 4 failed · web* · TIME",
    `${days[2]}: 1`,
    "  uptime: web* · TIME",
  ]);
  expect(overlord.model.runningCount).toBe(1);
});

it("tells states apart by shape, to menus and to ears", async () => {
  const overlord = new Overlord(
    job("ok", 1),
    job("some", 2, { counts: { succeeded: 3, failed: 1 } }),
    job("none", 3, { counts: { failed: 3, "timed-out": 1 } }),
    job("lost", 4, { counts: { succeeded: 3, lost: 1 } }),
    job("gone", 5, { counts: { succeeded: 1, cancelled: 3 }, async: true }),
    job("stopping", 6, { finished: false, cancelRequested: true }),
    job("waits", 7, { finished: false, counts: { queued: 4 } }),
    job("runs", 8, { finished: false }),
  );
  await overlord.model.load();
  const item = (id: string) => overlord.tree.getTreeItem({ kind: "job", id });
  const icon = (id: string) => (item(id).iconPath as { id?: string }).id ?? "ring";
  const ids = ["ok", "some", "none", "lost", "gone", "stopping", "waits", "runs"];
  expect(ids.map(icon)).toEqual([
    ...["pass", "warning", "error", "question", "circle-slash", "stop-circle", "loading~spin"],
    "ring",
  ]);
  expect(ids.map((id) => item(id).contextValue)).toEqual([
    "job;finished",
    ...["job;finished;problems", "job;finished;problems", "job;finished;problems"],
    "job;finished;problems;async",
    "job;running",
    ...["job;running;cancellable", "job;running;cancellable"],
  ]);
  expect(item("none").accessibilityInformation?.label).toMatch(
    /^command\.run\("uptime"\), on web\*, finished: 3 failed, 1 timed out, /,
  );
});

it("calls commands by what they run, shortened, and other calls by their name", async () => {
  const overlord = new Overlord(
    job("a", 1, { argsText: String.raw`"echo \"it's\"\nuname -a | tee /tmp/file"` }),
    job("b", 2, { argsText: String.raw`"printf 'a\\b'", {"LANG":"C"}` }),
    job("c", 3, { argsText: "***" }),
    job("d", 4, { module: "service", method: "restart", argsText: '"nginx"' }),
  );
  await overlord.model.load();
  const label = (id: string) => overlord.tree.getTreeItem({ kind: "job", id }).label;
  expect(["a", "b", "c", "d"].map(label)).toEqual([
    `echo "it's" uname -…`,
    String.raw`printf 'a\b'`,
    "command.run(***)",
    'service.restart("ng…',
  ]);
});

it("follows what the overlord tells, at most twice a second, and draws only what changed", async () => {
  const overlord = new Overlord(job("a", HOUR_MS), job("b", 10, { finished: false }));
  await overlord.rows();
  const drawn: (string[] | undefined)[] = [];
  overlord.tree.onDidChangeTreeData((nodes) => {
    drawn.push(nodes?.map((node) => ("id" in node ? node.id : node.kind)));
  });
  overlord.model.onDidChange(() => overlord.tree.refresh());
  for (let succeeded = 1; succeeded < 4; succeeded++) {
    overlord.tell(job("b", 10, { finished: false, counts: { succeeded, running: 4 - succeeded } }));
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(drawn).toEqual([["b"]]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(drawn).toEqual([["b"], ["b"]]);
  overlord.tell(job("b", 10));
  overlord.tell(job("c", 5));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(drawn.slice(2)).toEqual([undefined]);
  expect(await overlord.rows()).toHaveLength(4);
  // what was on its way while the job ended is no news
  overlord.tell(job("b", 10, { finished: false }));
  expect(overlord.model.runningCount).toBe(0);
  overlord.tell(job("b", 10, { finished: false, attempts: 2 }));
  expect(overlord.model.runningCount).toBe(1);
  overlord.changed.fire({ changed: [], removed: ["b", "c"] });
  expect((await overlord.rows()).map((row) => row.replace(/:.*/, ""))).toEqual([
    "Today",
    "  uptime",
  ]);
});

it("brings older jobs page by page, and keeps them over a reload", async () => {
  const jobs = Array.from({ length: 250 }, (_, at) => job(`j${at}`, at * HOUR_MS));
  const overlord = new Overlord(...jobs);
  await overlord.model.load();
  expect(overlord.model.finished()).toHaveLength(100);
  expect((await overlord.rows()).at(-1)).toBe("Show Older...");
  await overlord.model.loadOlder();
  expect(overlord.model.finished()).toHaveLength(200);
  overlord.changed.fire({ changed: [], removed: [], all: true });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(overlord.model.finished()).toHaveLength(200);
  // it stands where "Show Older..." is to bring it
  overlord.tell(job("old", 240 * HOUR_MS));
  expect(overlord.model.get("old")).toBeUndefined();
  await overlord.model.loadOlder();
  expect(overlord.model.finished()).toHaveLength(251);
  expect(overlord.model.hasOlder).toBe(false);
});

it("filters by state, text and minion, and counts running ones all the same", async () => {
  const overlord = new Overlord(
    job("a", 1, { argsText: '"nginx -t"', counts: { succeeded: 2, failed: 2 } }),
    job("b", 2),
    job("c", 3, { finished: false }),
  );
  const ids = () => [...overlord.model.running(), ...overlord.model.finished()].map(({ id }) => id);
  await overlord.model.setFilter({ state: "problems" });
  expect(ids()).toEqual(["a"]);
  await overlord.model.setFilter({ text: "nginx" });
  expect(ids()).toEqual(["a"]);
  expect(overlord.model.runningCount).toBe(1);
  overlord.tell(job("d", 0, { argsText: '"nginx -v"' }), job("e", 0));
  expect(ids()).toEqual(["d", "a"]);
  await overlord.model.setFilter({ state: "running" });
  overlord.tell(job("c", 3));
  expect(ids()).toEqual([]);
  await overlord.model.setFilter({ until: dayOf(NOW_MS - DAY_MS) });
  expect(ids()).toEqual([]);
  overlord.tell(job("x", DAY_MS), job("y", HOUR_MS));
  expect(ids()).toEqual(["x"]);
  expect(["2026-02-28", "2026-02-30", "26-2-1"].map(isDay)).toEqual([true, false, false]);
  // only the overlord knows where a job runs
  await overlord.model.setFilter({ minion: "web1" });
  overlord.asked = 0;
  overlord.tell(job("f", 0));
  expect(overlord.model.get("f")).toBeUndefined();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(overlord.asked).toBeGreaterThan(0);
  expect(overlord.model.get("f")).toBeDefined();
});

it("tells in its tooltip all there is, as text", () => {
  const { value } = jobTooltip(
    job("6f7a", HOUR_MS, {
      spec: "@web",
      exclude: "web9",
      argsText: '"echo **bold** $(id)"',
      async: true,
      startedBy: "cli",
      batch: { canary: "web1", size: "10%" },
      maxErrors: 2,
      attempts: 3,
    }),
  );
  expect(value).toContain("**Targets** @web without web9");
  expect(value).toContain("\\*\\*bold\\*\\*");
  expect(value).toContain("**Batches** first web1, 10% at a time");
  expect(value).toContain("**Stops after** more than 2 failures");
  expect(value).toContain("**Attempts** 3");
  expect(value).toContain("from the command line");
  expect(value).toContain("after 1 min 30 s");
});
