import { l10n, window } from "vscode";
import { askAt } from "../../server/client/askAt";
import { requireTrust } from "../calls";
import { firstNames } from "../confirmation";
import type { Services } from "../services";
import { chosenRequests } from "./certificateSelection";

/** Refuses waiting requests, after a question that names them. */
export async function denyRequest(
  services: Services,
  item?: unknown,
  items?: unknown,
): Promise<void> {
  requireTrust();
  const title = l10n.t("Deny Certificate Request");
  const requests = await chosenRequests(services, item, items, title);
  if (requests.length === 0) return;
  const deny = l10n.t("Deny");
  const names = firstNames(requests.map(({ name }) => name));
  const question =
    requests.length === 1
      ? l10n.t("Deny the certificate request of {0}?", names)
      : l10n.t("Deny {0} certificate requests ({1})?", requests.length, names);
  const detail = l10n.t("The host gets no certificate, and is told so. It can ask again.");
  const chosen = await window.showWarningMessage(question, { modal: true, detail }, deny);
  if (chosen !== deny) return;
  for (const { name, keyFingerprint, at } of requests) {
    const params = { name, keyFingerprint };
    const list = await askAt(services.session, at, "certmaster/deny", params);
    services.certificates.takeAt(at, list);
  }
}
