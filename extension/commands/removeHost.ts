import { l10n } from "vscode";
import { requireTrust } from "../calls";
import { askText } from "../input/askText";
import { BACK } from "../input/steps";
import type { Services } from "../services";
import { chosenMinions } from "./selection";

/** Undoes "Add Host": stops and removes funcd there and revokes its certificate, in a terminal. */
export async function removeHost(services: Services, item?: unknown): Promise<void> {
  requireTrust();
  const [name] = await chosenMinions(services, item, undefined, l10n.t("Remove Host"));
  if (name === undefined) return;
  const typed = await askText({
    title: l10n.t("Remove {0}", name),
    prompt: l10n.t(
      "funcd is stopped and removed there, and its certificate revoked. Type the name to confirm.",
    ),
    placeholder: name,
    check: (text) => (text.trim() === name ? undefined : l10n.t("Type {0} to confirm.", name)),
  });
  if (typed === undefined || typed === BACK) return;
  // "--yes": it was confirmed here
  services.hostTerminal.run(l10n.t("Remove {0}", name), ["remove-host", "--yes", name]);
}
