import { commands, Disposable, l10n, window } from "vscode";
import { COMMANDS } from "./commandIds";
import { errorText } from "./errors";
import type { OverlordSession } from "./overlordSession";

/** Tells the user when the overlord was lost and started again, or cannot be started. */
export function registerSessionNotices(session: OverlordSession): Disposable {
  const log = l10n.t("Show Log");
  const retry = l10n.t("Retry");
  const act = async (chosen: string | undefined): Promise<void> => {
    if (chosen === log) await commands.executeCommand(COMMANDS.showLog);
    if (chosen === retry) await commands.executeCommand(COMMANDS.retry);
  };
  return Disposable.from(
    session.onDidRestart(({ unexpected }) => {
      if (!unexpected) return;
      const text = l10n.t(
        "The Func overlord stopped unexpectedly; it was started again, and goes on with its jobs.",
      );
      void window.showWarningMessage(text, log).then(act);
    }),
    session.onDidChangeState((state) => {
      if (state.kind !== "failed") return;
      void window.showErrorMessage(errorText(state.error), log, retry).then(act);
    }),
  );
}
