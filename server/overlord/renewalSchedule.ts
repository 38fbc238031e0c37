import type { CertificateRecord } from "../protocol/certmaster";
import type { MinionRecord } from "../protocol/minions";

const DAY_MS = 24 * 60 * 60 * 1000;
/** From here on a certificate is renewed... */
const RENEW_AFTER = 2 / 3;
/** ...at a moment in the following tenth of its life, so that a fleet enrolled in one hour is not due in one. */
const SPREAD = 1 / 10;
/** Of a certificate that is not in the list of those issued. */
const USUAL_LIFE_MS = 90 * DAY_MS;

/**
 * When the minion's certificate is to be renewed, in ms since 1970. By chance, but always the same moment: it
 * comes from the serial number, which is random. `issued`: the certificate, where it is known.
 */
export function renewalDueMs(
  minion: Pick<MinionRecord, "certificateSerial" | "certificateNotAfterMs">,
  issued: Pick<CertificateRecord, "notBeforeMs"> | undefined,
): number {
  const endMs = minion.certificateNotAfterMs;
  const lifeMs = issued ? endMs - issued.notBeforeMs : USUAL_LIFE_MS;
  const share = RENEW_AFTER + SPREAD * fractionOf(minion.certificateSerial);
  return endMs - lifeMs * (1 - share);
}

/** From 0 to 1, by the last digits of the serial number. */
function fractionOf(serial: string): number {
  const digits = /[0-9a-f]{1,8}$/i.exec(serial)?.[0] ?? "0";
  return parseInt(digits, 16) / 0x1_0000_0000;
}
