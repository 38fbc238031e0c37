import {
  commands,
  workspace,
  window,
  l10n,
  type Disposable,
  type Uri,
  type WebviewPanel,
} from "vscode";
import { targetsText, type MinionResult } from "../../server/protocol/jobs";
import { runCall } from "../calls";
import { COMMANDS } from "../commandIds";
import { resultUri } from "../documents/resultDocuments";
import { asFuncError, showError } from "../errors";
import type { JobChange, TrackedJob } from "../jobs/trackedJob";
import { DETAIL_CHARS, resultDetail, WHOLE_CHARS } from "../results/resultDetail";
import type { Services } from "../services";
import { resultsHtml } from "./resultsHtml";
import {
  parseFromResults,
  type FromResults,
  type ResultRow,
  type ResultsHeader,
  type ToResults,
} from "./resultsProtocol";

/** Results come in bursts; more than 25 pictures a second nobody sees. */
const BATCH_MS = 40;

/** One job's results: sends rows as they arrive, answers what the webview asks. */
export class ResultsPanel implements Disposable {
  readonly job: TrackedJob;
  private readonly changed = new Map<string, ResultRow>();
  private timer: NodeJS.Timeout | undefined;
  private snapshotDue = false;
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
    this.setTitle();
    this.subscriptions = [
      this.job.onDidChange((change) => this.take(change)),
      panel.webview.onDidReceiveMessage((message) => void this.receive(message)),
      panel.onDidChangeViewState(() => {
        // a hidden webview is destroyed: what was sent is gone with it
        if (!panel.visible) this.ready = false;
      }),
      workspace.onDidGrantWorkspaceTrust(() => this.sendSnapshot()),
    ];
    panel.webview.html = resultsHtml(panel.webview, extensionUri, jobId);
  }

  /** Lets go of the panel, which stays: closing it would keep it from being restored after a reload. */
  dispose(): void {
    clearTimeout(this.timer);
    for (const subscription of this.subscriptions) subscription.dispose();
    this.services.jobs.release(this.job);
  }

  private take(change: JobChange): void {
    if (change.kind === "rows") {
      for (const row of change.rows) this.changed.set(row.minion, row);
    } else {
      this.snapshotDue = true;
    }
    this.timer ??= setTimeout(() => {
      this.flush();
    }, BATCH_MS);
  }

  private flush(): void {
    this.timer = undefined;
    const rows = [...this.changed.values()];
    this.changed.clear();
    this.setTitle();
    const header = this.header();
    if (this.snapshotDue || this.job.lost) this.sendSnapshot();
    else if (header) this.post({ type: "delta", header, rows });
  }

  private sendSnapshot(): void {
    this.snapshotDue = false;
    this.changed.clear();
    const { lost, state, jobId } = this.job;
    const header = this.header();
    if (state && header) {
      this.post({ type: "snapshot", header, rows: [...state.rows.values()] });
    }
    if (lost) {
      this.post({ type: "lost", jobId, message: lost.message, nextStep: lost.nextStep });
    }
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
    const { session } = this.services;
    switch (message.type) {
      case "ready":
        this.ready = true;
        this.sendSnapshot();
        return;
      case "cancel":
        await session.request("jobs/cancel", { jobId: this.job.jobId });
        return;
      case "callAgain":
        await this.callAgain();
        return;
      case "detail":
        await this.sendDetail(message.minion, message.whole);
        return;
      case "openInEditor":
        await this.openInEditor(message.minion);
        return;
    }
  }

  private async callAgain(): Promise<void> {
    const { jobs } = this.services;
    const started = jobs.startedWith(this.job.jobId);
    const summary = this.job.state?.summary;
    if (started) {
      await runCall(this.services, started.params, started.risk);
    } else {
      // started elsewhere or before a reload: its arguments are not known here
      await commands.executeCommand(COMMANDS.callMethod, { again: summary });
    }
  }

  private async sendDetail(minion: string, whole: boolean): Promise<void> {
    try {
      const result = await this.result(minion);
      const { module, method } = this.call();
      const maxChars = whole ? WHOLE_CHARS : DETAIL_CHARS;
      this.post({ type: "detail", minion, ...resultDetail(result, module, method, maxChars) });
    } catch (error) {
      const { message, nextStep } = asFuncError(error);
      this.post({ type: "detailFailed", minion, message, nextStep });
    }
  }

  private async openInEditor(minion: string): Promise<void> {
    const { module, method } = this.call();
    const uri = resultUri(this.job.jobId, minion, `${module}.${method}`);
    const document = await workspace.openTextDocument(uri);
    await window.showTextDocument(document, { preview: true });
  }

  private result(minion: string): Promise<MinionResult> {
    return this.services.session.request("jobs/result", { jobId: this.job.jobId, minion });
  }

  private call(): { module: string; method: string } {
    return this.job.state?.summary ?? { module: "", method: "" };
  }

  private header(): ResultsHeader | undefined {
    const summary = this.job.state?.summary;
    if (!summary) return undefined;
    const { id, module, method, argsText, total, finished, cancelRequested } = summary;
    return {
      jobId: id,
      call: `${module}.${method}(${argsText})`,
      spec: targetsText(summary),
      startedAtMs: summary.createdAtMs,
      finishedAtMs: summary.finishedAtMs,
      finished: finished || this.job.lost !== undefined,
      cancelRequested,
      total,
      readOnly: !workspace.isTrusted,
    };
  }

  private setTitle(): void {
    const summary = this.job.state?.summary;
    this.panel.title = summary
      ? l10n.t("Results: {0} on {1}", `${summary.module}.${summary.method}`, targetsText(summary))
      : l10n.t("Results");
  }

  private post(message: ToResults): void {
    if (this.ready) void this.panel.webview.postMessage(message);
  }
}
