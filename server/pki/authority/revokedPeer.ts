import { FuncError } from "../../common/errors";
import type { PeerCertificate } from "../../wire/peerCertificate";
import { cnOnlyIdentity, identityOf } from "../certificates/identity";
import type { CertificateAuthority } from "./certificateAuthority";

/** Why the holder of this certificate must not be talked to any more; undefined where it was not revoked. */
export function revokedPeer(
  authority: CertificateAuthority,
  certificate: PeerCertificate,
): FuncError | undefined {
  if (authority.revocationNumber === 0) return undefined;
  const identity = identityOf(certificate) ?? cnOnlyIdentity(certificate);
  const revoked = identity && authority.revocationOf(identity.keyFingerprint);
  if (!revoked) return undefined;
  const why = revoked.reason === "" ? "" : ` (${revoked.reason})`;
  return new FuncError(
    "wrong-identity",
    `${identity.name}: its certificate is revoked since ${new Date(revoked.atMs).toISOString()}${why}, so nothing that it answers counts.`,
    "If the host is to be called again, let it enrol anew: move the folder pki in its home away, and give it a new token.",
  );
}
