import { l10n, window } from "vscode";
import { requireTrust } from "../calls";
import { firstNames } from "../confirmation";
import type { Services } from "../services";
import { chosenMinions } from "./selection";

/** Takes minions out of the inventory, after a question that names them. */
export async function forgetMinion(
  services: Services,
  item?: unknown,
  items?: unknown,
): Promise<void> {
  requireTrust();
  const names = await chosenMinions(services, item, items, l10n.t("Forget Minion"));
  if (names.length === 0) return;
  const forget = l10n.t("Forget");
  const question =
    names.length === 1
      ? l10n.t("Forget the minion {0}?", firstNames(names))
      : l10n.t("Forget {0} minions?", names.length);
  const detail = l10n.t(
    "They are taken out of the list, and their certificates are revoked. To come back, a host joins anew.",
  );
  const chosen = await window.showWarningMessage(
    question,
    { modal: true, detail: names.length === 1 ? detail : `${firstNames(names)}\n\n${detail}` },
    forget,
  );
  if (chosen !== forget) return;
  await services.session.request("minions/forget", { names: [...names] });
}
