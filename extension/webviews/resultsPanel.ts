import { workspace, l10n, type Disposable, type Uri, type WebviewPanel } from "vscode";
import { FuncError } from "../../server/common/errors";
import { targetsText, type JobSummary } from "../../server/protocol/jobs";
import { copyResults } from "../commands/copyResults";
import { exportJob } from "../lazyCommands";
import { retryJob } from "../commands/retryJob";
import { runAgainOn } from "../commands/runAgain";
import { asFuncError, showError } from "../errors";
import type { JobChange, TrackedJob } from "../jobs/trackedJob";
import type { Services } from "../services";
import { isCommand, readDetail, readPage } from "./detailReader";
import { headerNotes } from "./headerNotes";
import { LiveSender } from "./liveSender";
import { parseFromResults } from "./parseFromResults";
import { sendReplay } from "./replayReader";
import { callJobAgain, compareMinions, openResult } from "./resultsActions";
import { resultsHtml } from "./resultsHtml";
import type { FromResults, MenuAction, ResultsHeader, ToResults } from "./resultsProtocol";
import { preferredView, preferView } from "./resultsView";
import { RowSender } from "./rowSender";
import { SearchRunner } from "./searchRunner";

/** One job's results: sends rows as they arrive, answers what the webview asks. */
export class ResultsPanel implements Disposable {
  readonly job: TrackedJob;
  private readonly sender: RowSender;
  private readonly search: SearchRunner;
  private readonly live: LiveSender;
  /** The webview's script runs and has had its snapshot; false again when it is hidden. */
  private ready = false;
  private readonly subscriptions: Disposable[];

  constructor(
    readonly panel: WebviewPanel,
    private readonly services: Services,
    jobId: string,
    extensionUri: Uri,
  ) {
    this.job = services.jobs.acquire(jobId);
    this.sender = new RowSender(
      { header: () => this.header(), rows: () => this.job.state?.rows },
      (message) => this.post(message),
    );
    this.search = new SearchRunner(services.session, jobId, (progress) => {
      this.post({ type: "search", ...progress });
    });
    this.live = new LiveSender(services.jobOutputs, jobId, (message) => this.post(message));
    this.setTitle();
    this.subscriptions = [
      this.sender,
      this.search,
      this.live,
      this.job.onDidChange((change) => this.take(change)),
      panel.webview.onDidReceiveMessage((message) => void this.receive(message)),
      panel.onDidChangeViewState(() => {
        if (!panel.visible) this.sleep();
      }),
      workspace.onDidGrantWorkspaceTrust(() => this.sendSnapshot()),
    ];
    const view = preferredView(services.context.globalState);
    panel.webview.html = resultsHtml(panel.webview, extensionUri, { jobId, view });
  }

  /** Asks the webview to do what an entry of the context menu says for its item. */
  menu(action: MenuAction, item: string): void {
    this.post({ type: "menu", action, item });
  }

  /** Lets go of the panel, which stays: closing it would keep it from being restored after a reload. */
  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
    this.services.jobs.release(this.job);
  }

  /** A hidden webview is destroyed: what was sent is gone with it. */
  private sleep(): void {
    this.ready = false;
    this.sender.stop();
    this.search.cancel();
    this.live.stop();
  }

  private take(change: JobChange): void {
    this.setTitle();
    if (!this.ready) return;
    if (change.kind === "rows") this.sender.send(change.rows);
    else this.sendSnapshot();
  }

  private sendSnapshot(): void {
    const { lost, jobId } = this.job;
    this.sender.sendAll();
    if (lost) this.post({ type: "lost", jobId, message: lost.message, nextStep: lost.nextStep });
  }

  private async receive(raw: unknown): Promise<void> {
    const message = parseFromResults(raw);
    if (!message) {
      this.services.log.warn("The results panel sent a message of an unknown form");
      return;
    }
    try {
      await this.act(message);
    } catch (error) {
      await showError(error);
    }
  }

  private async act(message: FromResults): Promise<void> {
    const { services } = this;
    const { jobId } = this.job;
    switch (message.type) {
      case "ready":
        this.ready = true;
        this.sendSnapshot();
        return;
      case "cancel":
        await services.session.request("jobs/cancel", { jobId });
        return;
      case "retry":
        return retryJob(services, { jobId });
      case "runAgainOn":
        return runAgainOn(services, { jobId });
      case "watchLive":
        this.live.watch(message.watch);
        return;
      case "replay":
        return sendReplay(services.session, this.summary(), (part) => this.post(part));
      case "callAgain":
        return callJobAgain(services, this.summary(), message.minions);
      case "detail":
        return this.sendDetail(message.minion, message.peek);
      case "page":
        return this.sendPage(message);
      case "openInEditor":
        return openResult(services, this.summary(), message.minion, message.section);
      case "copy":
        return copyResults(this.job, message.minions);
      case "export":
        return exportJob(services, this.summary(), message.minions);
      case "compare":
        return compareMinions(jobId, message.minions);
      case "search":
        return this.search.run(message.search, message.text);
      case "cancelSearch":
        this.search.cancel();
        return;
      case "view":
        return preferView(services.context.globalState, message.view);
    }
  }

  private async sendDetail(minion: string, peek: boolean): Promise<void> {
    try {
      const sections = await readDetail(this.services.session, this.summary(), minion, peek);
      this.post({ type: "detail", minion, peek, sections });
    } catch (error) {
      const { message, nextStep } = asFuncError(error);
      this.post({ type: "detailFailed", minion, peek, message, nextStep });
    }
  }

  private async sendPage(page: Extract<FromResults, { type: "page" }>): Promise<void> {
    const { minion, section, offset } = page;
    const window = await readPage(this.services.session, this.summary(), minion, section, offset);
    this.post({ type: "page", minion, section, ...window });
  }

  private summary(): JobSummary {
    const summary = this.job.state?.summary;
    if (summary) return summary;
    throw this.job.lost ?? new FuncError("not-found", l10n.t("The job is not known yet."));
  }

  private header(): ResultsHeader | undefined {
    const summary = this.job.state?.summary;
    if (!summary) return undefined;
    const { id, module, method, argsText, total, finished, cancelRequested, warning } = summary;
    return {
      jobId: id,
      call: `${module}.${method}(${argsText})`,
      spec: targetsText(summary),
      startedAtMs: summary.createdAtMs,
      finishedAtMs: summary.finishedAtMs,
      finished: finished || this.job.lost !== undefined,
      cancelRequested,
      total,
      notes: headerNotes(summary),
      warning,
      live: isCommand(summary) && summary.async,
      readOnly: !workspace.isTrusted,
    };
  }

  private setTitle(): void {
    const summary = this.job.state?.summary;
    const title = summary
      ? l10n.t("Results: {0} on {1}", `${summary.module}.${summary.method}`, targetsText(summary))
      : l10n.t("Results");
    // each time it is set, VS Code draws its tabs anew
    if (this.panel.title !== title) this.panel.title = title;
  }

  private post(message: ToResults): void {
    if (this.ready) void this.panel.webview.postMessage(message);
  }
}
