import { FuncError } from "../../common/errors";
import type { CertificateRecord, RevokeParams } from "../../protocol/certmaster";

export type RevokeSelection = Pick<RevokeParams, "names" | "role" | "serials">;

export interface Revoking extends RevokeSelection {
  reason: string;
  /** Fingerprints of keys that stay. */
  spare?: ReadonlySet<string>;
}

/**
 * The certificates that are meant, without those that are revoked already: all of each
 * name, also those that have expired (a minion that was away could still renew by one); those of the serials; and whatever else
 * has one of their keys. Throws FuncError "not-found" for a serial that is unknown.
 */
export function selectRevoked(
  records: readonly CertificateRecord[],
  { names = [], role = "minion", serials = [] }: RevokeSelection,
): CertificateRecord[] {
  const keys = new Set<string>();
  for (const name of names) {
    for (const record of records) {
      if (record.role === role && isNamed(record, name)) keys.add(record.keyFingerprint);
    }
  }
  const known = new Map(records.map((record) => [comparable(record.serial), record]));
  for (const serial of serials) {
    const record = known.get(comparable(serial));
    if (!record) {
      throw new FuncError(
        "not-found",
        `There is no certificate with the serial number ${serial.slice(0, 100)}.`,
        "func ca list shows those that there are.",
      );
    }
    keys.add(record.keyFingerprint);
  }
  return records.filter(
    ({ keyFingerprint, revoked }) => keys.has(keyFingerprint) && revoked === undefined,
  );
}

function isNamed(record: CertificateRecord, name: string): boolean {
  return record.name === name.toLowerCase();
}

/** As other tools write it: in small letters, with colons or leading zeros. */
function comparable(serial: string): string {
  return serial.replaceAll(":", "").toUpperCase().replace(/^0+/, "");
}
