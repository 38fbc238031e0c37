import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { l10n, window } from "vscode";
import { lookAtLink, makeLink } from "../commandLine/userLink";
import { showError } from "../errors";
import type { Services } from "../services";

/** Where a user's own programs are, by the XDG specification. */
export function userCommand(): string {
  return join(homedir(), ".local", "bin", "func");
}

/** Puts the command `func` on the PATH of the integrated terminals and, if asked, of the user. */
export async function installCommandLine({ commandLine }: Services): Promise<void> {
  await commandLine.install();
  if (process.platform === "win32") {
    void window.showInformationMessage(
      l10n.t("Terminals that you open now have the command func."),
    );
    return;
  }
  const link = l10n.t("Also Outside VS Code");
  // not awaited: the command is there, whatever becomes of the question
  askForLink(link, commandLine.file).catch(showError);
}

async function askForLink(link: string, target: string): Promise<void> {
  const chosen = await window.showInformationMessage(
    l10n.t(
      "Terminals that you open now in VS Code have the command func. Link it into ~/.local/bin too, for other terminals?",
    ),
    link,
  );
  if (chosen === link) await linkForUser(userCommand(), target);
}

async function linkForUser(command: string, target: string): Promise<void> {
  const there = await lookAtLink(command, target);
  if (there.kind === "foreign") {
    const replace = l10n.t("Replace");
    const chosen = await window.showWarningMessage(
      l10n.t("There is another func. Replace it?"),
      { modal: true, detail: there.what },
      replace,
    );
    if (chosen !== replace) return;
  }
  await makeLink(command, target);
  const folder = dirname(command);
  if ((process.env.PATH ?? "").split(delimiter).includes(folder)) {
    void window.showInformationMessage(l10n.t("{0} is there.", command));
  } else {
    void window.showWarningMessage(
      l10n.t(
        "{0} is there, but {1} is not on the PATH: add it in your shell's profile.",
        command,
        folder,
      ),
    );
  }
}
