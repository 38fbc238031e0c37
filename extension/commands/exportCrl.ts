import { homedir } from "node:os";
import { l10n, Uri, window, workspace } from "vscode";
import { FuncError, messageOf } from "../../server/common/errors";
import type { Services } from "../services";

/** Writes the X.509 revocation list to a file, for other tools. */
export async function exportCrl({ session }: Services): Promise<void> {
  const { pem } = await session.request("certmaster/crl", {});
  const folder = workspace.workspaceFolders?.[0]?.uri ?? Uri.file(homedir());
  const target = await window.showSaveDialog({
    title: l10n.t("Export Revocation List"),
    defaultUri: Uri.joinPath(folder, "func.crl"),
    filters: { CRL: ["crl", "pem"] },
  });
  if (!target) return;
  try {
    await workspace.fs.writeFile(target, Buffer.from(pem));
  } catch (error) {
    throw new FuncError(
      "unavailable",
      l10n.t("The revocation list was not written to {0}: {1}", target.fsPath, messageOf(error)),
      l10n.t("Choose another place, or make room there."),
    );
  }
  void window.showInformationMessage(
    l10n.t("The revocation list was written to {0}.", target.fsPath),
  );
}
