import { l10n, window } from "vscode";
import { askAt } from "../../server/client/askAt";
import { requireTrust } from "../calls";
import type { Services } from "../services";
import { unprotectedText } from "../views/certificateTooltips";
import type { WaitingAt } from "../views/certificatesModel";
import { chosenRequests } from "./certificateSelection";

/** Signs a waiting request, after its user has compared its fingerprint with the host. */
export async function approveRequest(services: Services, item?: unknown): Promise<void> {
  requireTrust();
  const { certificates, session } = services;
  const title = l10n.t("Approve Certificate Request");
  // one at a time: each has words of its own to compare
  const [request] = await chosenRequests(services, item, undefined, title);
  if (!request) return;
  const { name, keyFingerprint, at } = request;
  const approve = l10n.t("They Are the Same: Approve");
  const question = l10n.t("Does {0} show these words?", name);
  const chosen = await window.showWarningMessage(
    question,
    { modal: true, detail: approvalDetail(request) },
    approve,
  );
  if (chosen !== approve) return;
  const list = await askAt(session, at, "certmaster/approve", { name, keyFingerprint });
  certificates.takeAt(at, list);
  void window.showInformationMessage(l10n.t("{0} gets its certificate now.", name));
}

function approvalDetail(request: WaitingAt): string {
  const { words, keyFingerprint, from, replaces, unprotected, at, caWords } = request;
  const parts = [
    words,
    l10n.t(
      "The host prints the words of its key where it asks for its certificate. Other words mean that somebody else asks in its name.",
    ),
    caWords === undefined
      ? ""
      : l10n.t("Where the host asks about the CA, it has to show: {0}", caWords),
    l10n.t("The request came from {0}. SHA-256 of its key: {1}", from, keyFingerprint),
    at.length === 0
      ? ""
      : l10n.t("It waits at the sub-overlord {0}, whose CA signs it.", at.join("/")),
    unprotected ? unprotectedText() : "",
    replaces === undefined
      ? ""
      : l10n.t(
          "Attention: this name has a live certificate with another key, which is revoked with this approval.",
        ),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}
