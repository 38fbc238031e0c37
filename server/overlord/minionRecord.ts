import type { EnrolledMinion } from "../pki/certmaster/certmasterIssuing";
import type { MinionRecord } from "../protocol/minions";

/** A minion as it goes into the inventory when it gets its certificate. */
export function minionRecord({ name, address, port, record }: EnrolledMinion): MinionRecord {
  return {
    name,
    address,
    port,
    state: "unknown",
    enrolledAtMs: Date.now(),
    keyFingerprint: record.keyFingerprint,
    certificateSerial: record.serial,
    certificateNotAfterMs: record.notAfterMs,
    ...(record.cnOnly && { cnOnly: true }),
  };
}
