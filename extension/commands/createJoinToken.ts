import { env, l10n, window } from "vscode";
import { requireTrust } from "../calls";
import { messageForMinutes } from "../duration";
import type { Services } from "../services";

/** Makes a join token and shows the command with which a host joins. */
export async function createJoinToken({ session }: Services): Promise<void> {
  requireTrust();
  const token = await session.request("certmaster/createToken", {});
  const command = `node funcd.js join ${token.token}`;
  const copy = l10n.t("Copy Command");
  const chosen = await window.showInformationMessage(
    l10n.t("Run this on the host that is to join:"),
    {
      modal: true,
      detail: [
        command,
        l10n.t(
          "The token is a secret for one host. It is valid for {0} and is shown only once.",
          messageForMinutes(token.expiresAtMs - Date.now()),
        ),
        l10n.t("The host reaches this machine at {0}.", token.addresses.join(", ")),
      ].join("\n\n"),
    },
    copy,
  );
  if (chosen !== copy) return;
  await env.clipboard.writeText(command);
  void window.showInformationMessage(
    l10n.t(
      "The join command is in the clipboard. The host shows up in the view when it has joined.",
    ),
  );
}
