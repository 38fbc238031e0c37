import { l10n } from "vscode";
import { FuncError } from "../../server/common/errors";
import type { CertificateRecord } from "../../server/protocol/certmaster";
import { askPick } from "../input/askPick";
import { plainLabel } from "../input/plainLabel";
import { BACK } from "../input/steps";
import type { Services } from "../services";
import { roleText } from "../views/certificateItems";
import { isCertificateNode, type CertificateNode } from "../views/certificateNode";
import { certificateKey, type WaitingAt } from "../views/certificatesModel";
import { expiryText } from "../views/certificateValidity";

/** The rows of the view "Certificates" that a command is about: the selection where the clicked one is in it. */
export function chosenCertificateNodes(item: unknown, items: unknown): CertificateNode[] {
  if (Array.isArray(items) && items.length > 0) return items.filter(isCertificateNode);
  return isCertificateNode(item) ? [item] : [];
}

/** The requests that a command is about; asks for one where none was chosen. Throws FuncError. */
export async function chosenRequests(
  { certificates }: Services,
  item: unknown,
  items: unknown,
  title: string,
): Promise<readonly WaitingAt[]> {
  const nodes = chosenCertificateNodes(item, items).filter(({ kind }) => kind === "request");
  if (nodes.length > 0) {
    const chosen = nodes.flatMap((node) =>
      node.kind === "request" ? (certificates.waitingOf(node) ?? []) : [],
    );
    if (chosen.length > 0) return chosen;
    throw new FuncError("not-found", l10n.t("This request does not wait any more."));
  }
  const picked = await askPick({ title, items: waitingItems(certificates) });
  return picked === undefined || picked === BACK ? [] : [picked.request];
}

/** The certificates that a command is about; asks for one of `offered` where none was chosen. */
export async function chosenCertificates(
  { certificates }: Services,
  item: unknown,
  items: unknown,
  question: { title: string; offered: (record: CertificateRecord) => boolean },
): Promise<readonly CertificateRecord[]> {
  const nodes = chosenCertificateNodes(item, items).filter(({ kind }) => kind === "certificate");
  if (nodes.length > 0) {
    const records = nodes.flatMap((node) => {
      const record = node.kind === "certificate" ? certificates.certificate(node.key) : undefined;
      return record ?? [];
    });
    return records.filter(question.offered);
  }
  const picked = await askPick({
    title: question.title,
    items: signedItems(certificates, question.offered),
  });
  return picked === undefined || picked === BACK ? [] : [picked.record];
}

async function waitingItems(certificates: Services["certificates"]) {
  await Promise.all([certificates.load(), certificates.loadBelow()]);
  const waiting = certificates.allWaiting();
  if (waiting.length === 0) {
    throw new FuncError(
      "not-found",
      l10n.t("No certificate request waits."),
      l10n.t("Allow certificate requests first, then let the host ask."),
    );
  }
  return waiting.map((request) => ({
    label: plainLabel(request.name),
    description:
      request.at.length === 0
        ? l10n.t("from {0}", request.from)
        : l10n.t("at {0}, from {1}", request.at.join("/"), request.from),
    detail: request.words,
    request,
  }));
}

async function signedItems(
  certificates: Services["certificates"],
  offered: (record: CertificateRecord) => boolean,
) {
  await certificates.load();
  const records = certificates.signed().filter(offered);
  if (records.length === 0) {
    throw new FuncError("not-found", l10n.t("There is no such certificate."));
  }
  return records
    .sort((a, b) => (certificateKey(a) < certificateKey(b) ? -1 : 1))
    .map((record) => ({
      label: plainLabel(record.name),
      description: `${roleText(record.role)} · ${expiryText(record.notAfterMs)}`,
      record,
    }));
}
