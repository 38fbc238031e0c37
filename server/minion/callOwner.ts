import type { Caller } from "./minionModule";

/**
 * Whose a call or a job is, for good: of an overlord its name, since it gets another key with each certificate; of
 * all others the key.
 */
export function callOwner({ role, name, keyFingerprint }: Caller): string {
  return role === "overlord" ? `overlord:${name}` : keyFingerprint;
}
