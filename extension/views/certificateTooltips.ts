import { l10n, MarkdownString } from "vscode";
import type { CertificateRecord, WaitingRequest } from "../../server/protocol/certmaster";
import { dateText } from "../dateText";
import { roleText } from "./certificateItems";

/** All that is known of a request; the words are what people compare. */
export function requestTooltip(request: WaitingRequest): MarkdownString {
  const text = new MarkdownString();
  text.appendMarkdown(`### ${escaped(request.name)}\n\n`);
  line(text, l10n.t("Compare with the host"), request.words);
  line(text, l10n.t("Key (SHA-256)"), request.keyFingerprint);
  line(text, l10n.t("From"), request.from);
  line(text, l10n.t("Waits since"), dateText(request.sinceMs));
  if (request.replaces !== undefined) {
    line(text, l10n.t("Replaces and revokes the key"), request.replaces);
  }
  if (request.unprotected) {
    text.appendMarkdown(`\n${escaped(unprotectedText())}`);
  }
  return text;
}

/** All that is known of a certificate. */
export function certificateTooltip(record: CertificateRecord): MarkdownString {
  const text = new MarkdownString();
  text.appendMarkdown(`### ${escaped(record.name)}\n\n`);
  line(text, l10n.t("Role"), roleText(record.role));
  line(text, l10n.t("Valid from"), dateText(record.notBeforeMs));
  line(text, l10n.t("Valid until"), dateText(record.notAfterMs));
  if (record.renewalFailed) {
    const { sinceMs, problem } = record.renewalFailed;
    line(text, l10n.t("Renewal fails since"), `${dateText(sinceMs)}: ${problem}`);
  }
  if (record.revoked) line(text, l10n.t("Revoked"), dateText(record.revoked.atMs));
  if (record.revoked?.reason) line(text, l10n.t("Reason"), record.revoked.reason);
  line(text, l10n.t("Serial number"), record.serial);
  line(text, l10n.t("Key (SHA-256)"), record.keyFingerprint);
  return text;
}

/** What a request over plain HTTP is worth. */
export function unprotectedText(): string {
  return l10n.t(
    "It came over plain HTTP from an old minion: nobody proved anything, and the host cannot tell who answers it.",
  );
}

function line(text: MarkdownString, label: string, value: string): void {
  text.appendMarkdown(`**${label}** ${escaped(value)}  \n`);
}

/** What hosts and people write is no Markdown of ours. */
function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-!|<>&~]/g, "\\$&").replace(/\s+/g, " ");
}
