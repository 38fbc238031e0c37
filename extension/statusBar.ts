import { Disposable, l10n, StatusBarAlignment, ThemeColor, window } from "vscode";
import { COMMANDS } from "./commandIds";
import type { OverlordSession } from "./overlordSession";
import type { JobsModel } from "./views/jobsModel";

/** One item: how the overlord is, and how many jobs run. */
export function createStatusBar(session: OverlordSession, jobs: JobsModel): Disposable {
  const item = window.createStatusBarItem("func.status", StatusBarAlignment.Left);
  item.name = "Func";
  const show = (): void => {
    const { state } = session;
    const running = jobs.runningCount;
    const failed = state.kind === "failed";
    item.backgroundColor = failed ? new ThemeColor("statusBarItem.errorBackground") : undefined;
    item.command = failed ? COMMANDS.retry : COMMANDS.showResults;
    switch (state.kind) {
      case "idle":
        item.hide();
        return;
      case "connecting":
        item.text = "$(loading~spin) Func";
        item.tooltip = l10n.t("Connecting to the Func overlord");
        break;
      case "failed":
        item.text = "$(error) Func";
        item.tooltip = l10n.t("{0} Click to retry.", state.error.message);
        break;
      case "connected":
        item.text = running === 0 ? "$(radio-tower) Func" : `$(sync~spin) Func: ${running}`;
        item.tooltip = l10n.t(
          "Func overlord on {0}, {1} running jobs. Click for recent results.",
          state.hello.host,
          running,
        );
        break;
    }
    item.accessibilityInformation = { label: `Func: ${item.tooltip}`, role: "button" };
    item.show();
  };
  return Disposable.from(item, session.onDidChangeState(show), jobs.onDidChange(show));
}
