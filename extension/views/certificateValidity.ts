import { l10n } from "vscode";
import type { CertificateRecord } from "../../server/protocol/certmaster";
import { messageForMinutes } from "../duration";

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
/** Two weeks are time enough to mend whatever keeps a certificate from being renewed. */
const SOON_MS = 14 * DAY_MS;

export type Validity = "valid" | "soon" | "expired";

/**
 * Whether a certificate needs somebody's attention. Renewal is due when a third of its life is left; for a
 * short life two weeks would cry before that, hence never more than a quarter of it.
 */
export function validityOf(
  { notBeforeMs, notAfterMs }: Pick<CertificateRecord, "notBeforeMs" | "notAfterMs">,
  nowMs = Date.now(),
): Validity {
  const leftMs = notAfterMs - nowMs;
  if (leftMs <= 0) return "expired";
  return leftMs < Math.min(SOON_MS, (notAfterMs - notBeforeMs) / 4) ? "soon" : "valid";
}

/** "expires in 63 days", "expired 2 hours ago". */
export function expiryText(notAfterMs: number, nowMs = Date.now()): string {
  return notAfterMs > nowMs
    ? l10n.t("expires in {0}", spanText(notAfterMs - nowMs))
    : l10n.t("expired {0} ago", spanText(nowMs - notAfterMs));
}

/** "63 days", "5 hours", "12 minutes": the largest unit of which there is a whole one. */
export function spanText(ms: number): string {
  const days = Math.floor(ms / DAY_MS);
  if (days > 0) return days === 1 ? l10n.t("1 day") : l10n.t("{0} days", days);
  const hours = Math.floor(ms / HOUR_MS);
  if (hours > 0) return hours === 1 ? l10n.t("1 hour") : l10n.t("{0} hours", hours);
  return messageForMinutes(ms);
}
