import { EventEmitter, TreeItem, type TreeDataProvider } from "vscode";
import type { JobSummary } from "../../server/protocol/jobs";
import { hasProblems } from "../jobs/jobOutcome";
import { dayOf } from "./jobDays";
import { dayItem, jobItem, olderItem, runningItem } from "./jobItems";
import { jobNodeKey, type JobNode } from "./jobNode";
import { jobTooltip } from "./jobTooltip";
import type { JobsModel } from "./jobsModel";

/** What changes is shown at most twice a second, the first change at once. */
const REFRESH_MS = 500;
const FIRST_MS = 50;

/** The tree "Jobs": a view of the model, with stable ids. */
export class JobsTree implements TreeDataProvider<JobNode> {
  private readonly emitter = new EventEmitter<JobNode[] | undefined>();
  readonly onDidChangeTreeData = this.emitter.event;
  private readonly nodes = new Map<string, JobNode>();
  private days = new Map<string, JobSummary[]>();
  /** What was shown of each job, and in which order. */
  private drawn = new Map<string, JobSummary>();
  private outline = "";
  private refreshedAtMs = -REFRESH_MS;
  private timer: NodeJS.Timeout | undefined;

  /** `loaded` is awaited before the first level is shown, so that the view shows its progress bar. */
  constructor(
    private readonly model: JobsModel,
    private readonly loaded: () => Promise<void>,
  ) {}

  refresh(): void {
    const waitMs = Math.max(FIRST_MS, this.refreshedAtMs + REFRESH_MS - performance.now());
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.refreshedAtMs = performance.now();
      this.show();
    }, waitMs);
  }

  async getChildren(parent?: JobNode): Promise<JobNode[]> {
    if (!parent) {
      await this.loaded();
      this.arrange();
      return this.top();
    }
    switch (parent.kind) {
      case "running":
        return this.rowsOf(this.model.running());
      case "day":
        return this.rowsOf(this.days.get(parent.day) ?? []);
      case "job":
      case "older":
        return [];
    }
  }

  getTreeItem(node: JobNode): TreeItem {
    switch (node.kind) {
      case "running":
        return runningItem(node, this.model.running().length);
      case "day": {
        const jobs = this.days.get(node.day) ?? [];
        const last = [...this.days.keys()].at(-1) === node.day;
        const more = last && (this.model.hasOlder || this.model.isCut);
        return dayItem(node, jobs.length, jobs.filter(hasProblems).length, more);
      }
      case "older":
        return olderItem(node, this.model.isCut);
      case "job": {
        const job = this.model.get(node.id);
        // it has gone since the tree was asked for it
        return job ? jobItem(node, job) : new TreeItem(node.id);
      }
    }
  }

  resolveTreeItem(item: TreeItem, node: JobNode): TreeItem {
    const job = node.kind === "job" ? this.model.get(node.id) : undefined;
    if (job) item.tooltip = jobTooltip(job);
    return item;
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.emitter.dispose();
  }

  /** Draws anew only what changed, or everything where rows came, went or moved. */
  private show(): void {
    const before = this.outline;
    const drawn = this.drawn;
    this.arrange();
    if (this.outline !== before) {
      this.emitter.fire(undefined);
      return;
    }
    const changed = [...this.drawn.values()].filter((job) => drawn.get(job.id) !== job);
    if (changed.length === 0) return;
    const days = new Set(changed.filter(({ finished }) => finished).map(dayOfJob));
    this.emitter.fire([
      ...[...days].map((day) => this.node({ kind: "day", day })),
      ...this.rowsOf(changed),
    ]);
  }

  private arrange(): void {
    const running = this.model.running();
    const finished = this.model.finished();
    this.days = new Map();
    for (const job of finished) {
      const day = this.days.get(dayOfJob(job));
      if (day) day.push(job);
      else this.days.set(dayOfJob(job), [job]);
    }
    this.drawn = new Map([...running, ...finished].map((job) => [job.id, job]));
    const ids = [...this.drawn.values()].map((job) => (job.finished ? job.id : `*${job.id}`));
    const today = dayOf(Date.now());
    this.outline = [today, this.model.hasOlder, this.model.isCut, ...ids].join(" ");
    for (const [key, node] of this.nodes) {
      if (node.kind === "job" && !this.drawn.has(node.id)) this.nodes.delete(key);
    }
  }

  private top(): JobNode[] {
    const running = this.model.running().length > 0;
    const older = this.model.hasOlder || this.model.isCut;
    return [
      ...(running ? [this.node({ kind: "running" })] : []),
      ...[...this.days.keys()].map((day) => this.node({ kind: "day", day })),
      ...(older ? [this.node({ kind: "older" })] : []),
    ];
  }

  private rowsOf(jobs: readonly JobSummary[]): JobNode[] {
    return jobs.map(({ id }) => this.node({ kind: "job", id }));
  }

  /** VS Code asks about rows by identity. */
  private node(wanted: JobNode): JobNode {
    const key = jobNodeKey(wanted);
    const known = this.nodes.get(key);
    if (known) return known;
    this.nodes.set(key, wanted);
    return wanted;
  }
}

function dayOfJob({ createdAtMs }: JobSummary): string {
  return dayOf(createdAtMs);
}
