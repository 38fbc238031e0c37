import type { Caller } from "./minionModule";

/** Who asks, as this host's overlord knows it: role and name of the certificate, and where that has no role, its key. */
export function askedBy({ role, name, keyFingerprint }: Caller): string {
  return role === "cn-only" ? `${role} ${name} ${keyFingerprint}` : `${role} ${name}`;
}
