import { l10n, window } from "vscode";
import { removeLink } from "../commandLine/userLink";
import type { Services } from "../services";
import { userCommand } from "./installCommandLine";

/** Undoes "Install Command Line": the script, the PATH of terminals, and the link of the user. */
export async function removeCommandLine({ commandLine }: Services): Promise<void> {
  const was = await commandLine.installed();
  const command = userCommand();
  const linked = process.platform !== "win32" && (await removeLink(command, commandLine.file));
  await commandLine.remove();
  void window.showInformationMessage(
    linked
      ? l10n.t("The command func and {0} have been removed.", command)
      : was
        ? l10n.t("The command func has been removed.")
        : l10n.t("The command func was not installed."),
  );
}
