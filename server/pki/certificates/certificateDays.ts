import type { CertificateRole } from "./identity";

/** Renewed at 2/3 of their life. */
export const DEFAULT_DAYS: Readonly<Record<CertificateRole, number>> = {
  minion: 90,
  overlord: 30,
  operator: 30,
  certmaster: 2,
};
export const MAX_DAYS = 825;
