import { Uri, ViewColumn, window, type Disposable, type WebviewPanel } from "vscode";
import { RESULTS_PANEL } from "../commandIds";
import type { TrackedJob } from "../jobs/trackedJob";
import type { Services } from "../services";
import { ResultsPanel } from "./resultsPanel";
import { parseResultsState } from "./parseFromResults";

/** The open results panels, one per job at most. */
export class ResultsPanels implements Disposable {
  private readonly panels = new Map<string, ResultsPanel>();

  constructor(
    private readonly extensionUri: Uri,
    private readonly services: () => Services,
  ) {}

  /** Brings the job's panel to the front; opens it where there is none. */
  show(jobId: string): void {
    const open = this.panels.get(jobId);
    if (open) {
      open.panel.reveal();
      return;
    }
    const panel = window.createWebviewPanel(
      RESULTS_PANEL,
      "Results",
      { viewColumn: ViewColumn.Active, preserveFocus: false },
      this.options(),
    );
    this.adopt(panel, jobId);
  }

  /** The panel that has the focus: commands without an argument mean its job. */
  get activeJob(): TrackedJob | undefined {
    return [...this.panels.values()].find(({ panel }) => panel.active)?.job;
  }

  /** The open panel of a job. */
  find(jobId: string): ResultsPanel | undefined {
    return this.panels.get(jobId);
  }

  /** Takes panels back over a reload of the window; their state is the job's id only. */
  registerSerializer(): Disposable {
    return window.registerWebviewPanelSerializer(RESULTS_PANEL, {
      deserializeWebviewPanel: (panel, state: unknown) => {
        const restored = parseResultsState(state);
        // a damaged state, or a second panel of the same job
        if (!restored || this.panels.has(restored.jobId)) panel.dispose();
        else this.adopt(panel, restored.jobId);
        return Promise.resolve();
      },
    });
  }

  dispose(): void {
    for (const panel of this.panels.values()) panel.dispose();
    this.panels.clear();
  }

  private adopt(panel: WebviewPanel, jobId: string): void {
    panel.webview.options = this.options();
    panel.iconPath = {
      light: Uri.joinPath(this.extensionUri, "media", "results-light.svg"),
      dark: Uri.joinPath(this.extensionUri, "media", "results-dark.svg"),
    };
    const results = new ResultsPanel(panel, this.services(), jobId, this.extensionUri);
    this.panels.set(jobId, results);
    panel.onDidDispose(() => {
      this.panels.delete(jobId);
      results.dispose();
    });
  }

  private options(): { enableScripts: boolean; localResourceRoots: Uri[] } {
    return {
      enableScripts: true,
      localResourceRoots: [Uri.joinPath(this.extensionUri, "dist", "webview")],
    };
  }
}
