import { env, l10n, window } from "vscode";
import type { Services } from "../services";
import { chosenCertificateNodes, chosenCertificates } from "./certificateSelection";

/** Copies the SHA-256 of the key of a request or a certificate. */
export async function copyFingerprint(services: Services, item?: unknown): Promise<void> {
  const fingerprint = await chosenFingerprint(services, item);
  if (fingerprint === undefined) return;
  await env.clipboard.writeText(fingerprint);
  window.setStatusBarMessage(l10n.t("The fingerprint is in the clipboard."), SHOWN_MS);
}

const SHOWN_MS = 5_000;

async function chosenFingerprint(services: Services, item: unknown): Promise<string | undefined> {
  const [node] = chosenCertificateNodes(item, undefined);
  if (node?.kind === "request") return node.keyFingerprint;
  const title = l10n.t("Copy Fingerprint");
  const question = { title, offered: () => true };
  const [record] = await chosenCertificates(services, item, undefined, question);
  return record?.keyFingerprint;
}
