import { FuncError } from "../common/errors";
import type { CertificateAuthority } from "../pki/authority/certificateAuthority";
import type { CertificateRecord, RevokeParams, RevokeResult } from "../protocol/certmaster";
import type { OverlordParts } from "./service";

/** Whoever revokes waits no longer: a minion that has not answered by then gets the list when it does. */
const TELL_MS = 5_000;

/**
 * Revokes certificates and brings the new list to every minion that can be reached. Where one of them is the
 * overlord's own, it goes over to a new certificate first. Throws FuncError "not-found" where there is nothing
 * to revoke for a name or a serial number.
 */
export async function revokeRequest(
  parts: OverlordParts,
  params: RevokeParams,
): Promise<RevokeResult> {
  const { credentials, pusher } = parts;
  const authority = presentAuthority(parts);
  const selected = selectedBy(authority, params);
  const keys = fingerprintsOf(selected);
  await credentials.leaveKeys(keys);
  const own = credentials.ownKeys();
  const revoked = await authority.revoke({
    ...params,
    reason: params.reason ?? "",
    // all of the name goes, but for what was just made to take its place
    spare: new Set([...own].filter((key) => !keys.has(key))),
  });
  // it may have come into use meanwhile; where that fails, the next call tells
  await credentials.leaveKeys(fingerprintsOf(revoked)).catch(() => undefined);
  parts.certmasterChanged();
  const { told, untold } = await pusher.tellAll(TELL_MS);
  return {
    revoked,
    revocationNumber: authority.revocationNumber,
    told,
    untold: untold.map(({ name }) => name),
    why: Object.fromEntries(untold.map(({ name, why }) => [name, why])),
  };
}

function fingerprintsOf(records: readonly CertificateRecord[]): Set<string> {
  return new Set(records.map(({ keyFingerprint }) => keyFingerprint));
}

/** Takes minions out of the inventory, and revokes their certificates: the names are free then. */
export async function forgetRequest(
  parts: OverlordParts,
  names: string[],
): Promise<{ forgotten: string[] }> {
  const { credentials, inventory, methods } = parts;
  const known = names.filter((name) => inventory.find(name) !== undefined);
  // first this: who is forgotten must not be trusted any more, whatever happens in between
  const revoked = await credentials.existingAuthority()?.revoke({
    names: known,
    reason: "forgotten",
  });
  const forgotten = await inventory.forget(known);
  for (const name of forgotten) methods.forget(name);
  if (revoked && revoked.length > 0) parts.certmasterChanged();
  return { forgotten };
}

/** PEM of the X.509 revocation list. Throws FuncError "not-found" where there is no CA. */
export function crlRequest(parts: OverlordParts): { pem: string } {
  return { pem: presentAuthority(parts).crl() };
}

function presentAuthority({ credentials }: OverlordParts): CertificateAuthority {
  const authority = credentials.existingAuthority();
  if (authority) return authority;
  throw new FuncError(
    "not-found",
    "There is no CA yet, so nothing that could be revoked.",
    "The first join token makes it: func ca token.",
  );
}

function selectedBy(authority: CertificateAuthority, params: RevokeParams): CertificateRecord[] {
  const { names = [], serials = [], role = "minion" } = params;
  if (names.length === 0 && serials.length === 0) {
    throw new FuncError("bad-argument", "Name what is to be revoked, or give its serial number.");
  }
  // all or nothing: a misspelt name must not go unnoticed
  for (const name of names) {
    if (authority.selectedBy({ names: [name], role }).length === 0) {
      throw nothingToRevoke(authority, name, role);
    }
  }
  const selected = authority.selectedBy(params);
  if (selected.length > 0) return selected;
  throw new FuncError("conflict", "All of these certificates are revoked already.");
}

function nothingToRevoke(
  authority: CertificateAuthority,
  name: string,
  role: CertificateRecord["role"],
): FuncError {
  const named = authority.list().filter((record) => record.name === name.toLowerCase());
  if (named.some((record) => record.role === role)) {
    return new FuncError("conflict", `The certificate of ${role} ${name} is revoked already.`);
  }
  const live = named.filter((record) => record.revoked === undefined);
  const others = [...new Set(live.map((record) => record.role))];
  return new FuncError(
    "not-found",
    `There is no ${role} ${name} with a certificate of this CA${others.length > 0 ? `, but there is one for its use as ${others.join(" and as ")}` : ""}.`,
    others.length > 0
      ? `If that is meant: ${others.map((other) => revokeCommand(name, other)).join(", or ")}.`
      : "func ca list shows whom there is.",
  );
}

function revokeCommand(name: string, role: CertificateRecord["role"]): string {
  return `func ca revoke ${name}${role === "minion" ? "" : ` --${role}`}`;
}
