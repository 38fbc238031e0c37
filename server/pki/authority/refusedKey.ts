import { FuncError } from "../../common/errors";
import type { RevokedRecord } from "../revocation/revokedFile";

/** Says that `name` asks with a key that was revoked. */
export function revokedKey(name: string, revoked: RevokedRecord): FuncError {
  return new FuncError(
    "denied",
    `The key of ${name} was revoked on ${new Date(revoked.atMs).toISOString().slice(0, 10)} (as ${revoked.role} ${revoked.name}).`,
    "A revoked key gets no certificate again: make a new one (on a minion: move its folder pki away).",
  );
}

/** Says that what a renewal goes by was revoked after it began. */
export function revokedMeanwhile(name: string): FuncError {
  return new FuncError(
    "denied",
    `${name} was revoked while its certificate was being renewed: it gets no other.`,
  );
}
