import { l10n, window } from "vscode";
import { requireTrust } from "../calls";
import { showError } from "../errors";
import { askText } from "../input/askText";
import { BACK } from "../input/steps";
import type { Services } from "../services";

/** Gives the overlord the passphrase of the CA, which it forgets when it ends. */
export async function unlockCa({ caPassphrase, certificates }: Services): Promise<void> {
  requireTrust();
  await certificates.load();
  if (certificates.list?.caState !== "locked") {
    void window.showInformationMessage(l10n.t("The CA is not locked."));
    return;
  }
  const passphrase = await askText({
    title: l10n.t("Unlock the CA"),
    prompt: l10n.t("Passphrase of the CA"),
    password: true,
    check: (text) => (text === "" ? l10n.t("It cannot be empty.") : undefined),
  });
  if (passphrase === undefined || passphrase === BACK) return;
  await caPassphrase.unlock(passphrase);
  caPassphrase.offerToKeep(passphrase, l10n.t("The CA is unlocked.")).catch(showError);
}
