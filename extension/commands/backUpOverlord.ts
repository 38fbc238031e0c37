import { homedir } from "node:os";
import { l10n, Uri, window } from "vscode";
import { requireTrust } from "../calls";
import type { Services } from "../services";

/** Writes all that makes the overlord into one file, in a terminal, where its passphrase is asked for. */
export async function backUpOverlord({ hostTerminal }: Services): Promise<void> {
  requireTrust();
  const day = new Date().toISOString().slice(0, 10);
  const target = await window.showSaveDialog({
    title: l10n.t("Back Up the Overlord"),
    defaultUri: Uri.joinPath(Uri.file(homedir()), `func-overlord-${day}.backup`),
  });
  if (target?.scheme !== "file") return;
  hostTerminal.run(l10n.t("Back Up the Overlord"), ["overlord", "backup", target.fsPath]);
}
