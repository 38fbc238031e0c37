import type { Caller } from "./minionModule";

/**
 * Whose a call or a job is, for good: of an overlord its name, since it gets another key with each certificate; of
 * all others the key.
 */
export function callOwner({ role, name, keyFingerprint }: Caller): string {
  return role === "overlord" ? `overlord:${name}` : keyFingerprint;
}

/**
 * Under whom a call that this caller names by its call id may be known, the caller first: overlords bring the calls
 * of others (`originators`: fingerprints), and ask about them, wait for them and end them.
 */
export function callOwners(caller: Caller, originators: readonly string[]): string[] {
  const own = callOwner(caller);
  return caller.role === "overlord" ? [own, ...originators] : [own];
}
