import { commands, l10n, window, type Disposable, type TreeView } from "vscode";
import { JOBS_VIEW } from "../commandIds";
import { errorText } from "../errors";
import type { OverlordSession, SessionState } from "../overlordSession";
import { dayOf } from "./jobDays";
import { filterText, isFiltered } from "./jobFilter";
import type { JobNode } from "./jobNode";
import { JobsTree } from "./jobsTree";
import type { JobsModel } from "./jobsModel";

/** At midnight "Today" becomes "Yesterday". */
const TICK_MS = 60_000;

/** Wires the tree "Jobs" to the overlord; its badge counts also while nobody sees the view. */
export class JobsView implements Disposable {
  private readonly tree: JobsTree;
  private readonly view: TreeView<JobNode>;
  private readonly disposables: Disposable[];
  private readonly ticking: NodeJS.Timeout;
  private today = dayOf(Date.now());

  constructor(
    private readonly session: OverlordSession,
    private readonly model: JobsModel,
  ) {
    this.tree = new JobsTree(model, () => this.loaded());
    this.view = window.createTreeView(JOBS_VIEW, {
      treeDataProvider: this.tree,
      canSelectMany: true,
      showCollapseAll: true,
    });
    this.ticking = setInterval(() => this.tick(), TICK_MS);
    this.disposables = [
      this.tree,
      this.view,
      model.onDidChange(() => this.show()),
      session.onDidChangeState((state) => this.follow(state)),
    ];
  }

  /** Brings the view to the front. */
  async focus(): Promise<void> {
    await commands.executeCommand(`${JOBS_VIEW}.focus`);
  }

  dispose(): void {
    clearInterval(this.ticking);
    for (const disposable of this.disposables) disposable.dispose();
  }

  /** Never rejects: a failure shows in the view and in a notification. */
  private async loaded(): Promise<void> {
    if (this.model.loaded || this.session.state.kind === "failed") return;
    await this.model.load();
  }

  private follow(state: SessionState): void {
    // another overlord, or the same one started anew: it has the jobs of before
    if (state.kind === "connected") void this.model.load();
    else if (state.kind === "failed") this.model.clear();
  }

  private show(): void {
    const running = this.model.runningCount;
    const tooltip = running === 1 ? l10n.t("1 job runs") : l10n.t("{0} jobs run", running);
    this.view.badge = running > 0 ? { value: running, tooltip } : undefined;
    const message = this.message();
    if (this.view.message !== message) this.view.message = message;
    void commands.executeCommand("setContext", "func.jobsFiltered", isFiltered(this.model.filter));
    this.tree.refresh();
  }

  private message(): string | undefined {
    const { filter, problem } = this.model;
    // of a failed session the view's welcome content tells
    if (problem && this.session.state.kind === "connected") return errorText(problem);
    if (!isFiltered(filter)) return undefined;
    const some = this.model.running().length + this.model.finished().length > 0;
    return some
      ? l10n.t("Filtered: {0}", filterText(filter))
      : l10n.t("Filtered: {0}. No job fits.", filterText(filter));
  }

  private tick(): void {
    const today = dayOf(Date.now());
    if (today === this.today) return;
    this.today = today;
    this.tree.refresh();
  }
}
