import { createPublicKey, hash, KeyObject, X509Certificate } from "node:crypto";
import { FuncError } from "../../common/errors";
import { isMinionName } from "../../common/minionName";
import type { PeerCertificate } from "../../wire/peerCertificate";
import type { WirePeer } from "../../wire/wireClient";
import { subjectNameOf } from "./subjectName";
import { subjectPublicKey } from "./subjectPublicKey";

/** What the holder of a certificate may be. */
export type Role = "minion" | "overlord" | "operator";

/** Besides the roles, the certmaster's listener has a short-lived certificate; it is nobody's identity. */
export type CertificateRole = Role | "certmaster";

export interface Identity {
  role: Role;
  name: string;
  /** hex SHA-256 of the public key. */
  keyFingerprint: string;
}

/** What a certificate of the original tells. */
export interface CnOnlyIdentity {
  /** The common name, in small letters. It proves nothing: whoever asked the original's certmaster got one. */
  name: string;
  keyFingerprint: string;
}

const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

/** The one extended key usage of each role: TLS itself then refuses a minion as a client. */
export const KEY_USAGE_OF: Readonly<Record<CertificateRole, string>> = {
  minion: SERVER_AUTH,
  certmaster: SERVER_AUTH,
  overlord: CLIENT_AUTH,
  operator: CLIENT_AUTH,
};

const IDENTITY_URI = /^func:(minion|overlord|operator|certmaster):(.+)$/;

/** hex SHA-256 of the public key (SPKI, DER) of a certificate, of a public, or of a private key. */
export function keyFingerprint(key: KeyObject | PeerCertificate): string {
  if (!(key instanceof KeyObject)) return hash("sha256", spkiOf(key), "hex");
  const known = fingerprints.get(key);
  if (known !== undefined) return known;
  const fingerprint = hash("sha256", spkiOf(key), "hex");
  fingerprints.set(key, fingerprint);
  return fingerprint;
}

/** A key from its DER (SPKI), by whose bytes it is known from now on. Throws Error where it is none. */
export function readPublicKey(spki: Buffer): KeyObject {
  const key = createPublicKey({ key: spki, type: "spki", format: "der" });
  fingerprints.set(key, hash("sha256", spki, "hex"));
  return key;
}

/** A key does not change, and writing it down takes longer than checking a signature. */
const fingerprints = new WeakMap<KeyObject, string>();

function spkiOf(key: KeyObject | PeerCertificate): Uint8Array {
  if (!(key instanceof KeyObject)) {
    return subjectPublicKey(key.raw) ?? spkiOf(new X509Certificate(key.raw).publicKey);
  }
  const publicKey = key.type === "public" ? key : createPublicKey(key);
  return publicKey.export({ type: "spki", format: "der" });
}

/** A certificate never changes, and is asked about at every call of its connection. */
const identities = new WeakMap<PeerCertificate, Identity | null>();
const cnOnlyIdentities = new WeakMap<PeerCertificate, CnOnlyIdentity | null>();

/** Who a certificate says its holder is; undefined where it is no identity of ours. Does not judge the chain. */
export function identityOf(certificate: PeerCertificate): Identity | undefined {
  let identity = identities.get(certificate);
  if (identity === undefined) {
    identity = readIdentity(certificate) ?? null;
    identities.set(certificate, identity);
  }
  return identity ?? undefined;
}

function readIdentity(certificate: PeerCertificate): Identity | undefined {
  const named = namedIn(certificate);
  if (named === undefined || named.role === "certmaster") return undefined;
  return Object.freeze({ ...named, role: named.role, keyFingerprint: keyFingerprint(certificate) });
}

/**
 * The identity in a certificate of the original: it has no alternative names, and one common name, which is a
 * minion's. Undefined for any other. Does not judge the chain.
 */
export function cnOnlyIdentity(certificate: PeerCertificate): CnOnlyIdentity | undefined {
  let identity = cnOnlyIdentities.get(certificate);
  if (identity === undefined) {
    identity = readCnOnly(certificate) ?? null;
    cnOnlyIdentities.set(certificate, identity);
  }
  return identity ?? undefined;
}

function readCnOnly(certificate: PeerCertificate): CnOnlyIdentity | undefined {
  // a damaged extension makes it null, whatever the type says
  if (certificate.ca || certificate.subjectAltName !== undefined) return undefined;
  const subject = subjectNameOf(certificate);
  const name = subject?.commonName.toLowerCase();
  if (name === undefined || subject?.commonNames !== 1 || !isMinionName(name)) return undefined;
  return Object.freeze({ name, keyFingerprint: keyFingerprint(certificate) });
}

/** True where the certificate is one of a certmaster's listener. Does not judge the chain. */
export function isCertmaster(certificate: PeerCertificate): boolean {
  return namedIn(certificate)?.role === "certmaster";
}

/**
 * For `WireClient.verifyPeer`: the certificate must be a minion's, of this name, and on the pinned key where
 * the peer has one, or on one of the `successors` of that. Of a peer that is marked so, a CN-only certificate of
 * this name is as good, but on the pinned key alone. Throws FuncError "wrong-identity".
 */
export function verifyMinionPeer(
  certificate: PeerCertificate,
  peer: WirePeer,
  successors: readonly string[] = [],
): void {
  const withRole = identityOf(certificate);
  const cnOnly = peer.cnOnly && !withRole ? cnOnlyIdentity(certificate) : undefined;
  const identity = cnOnly ?? (withRole?.role === "minion" ? withRole : undefined);
  const at = `${peer.address}:${peer.port}`;
  if (!identity) {
    throw new FuncError(
      "wrong-identity",
      `${peer.name}: the server at ${at} does not present the certificate of a minion.`,
      "Check the host's address and port.",
    );
  }
  if (identity.name !== peer.name.toLowerCase()) {
    throw new FuncError(
      "wrong-identity",
      `${peer.name}: the host at ${at} is ${identity.name}, another minion.`,
      `Correct the address of ${peer.name}.`,
    );
  }
  const { keyFingerprint: shown } = identity;
  const isKnown = shown === peer.keyFingerprint || (!cnOnly && successors.includes(shown));
  // a name that proves nothing counts with its key only
  if ((cnOnly || peer.keyFingerprint !== undefined) && !isKnown) {
    throw new FuncError(
      "wrong-identity",
      `${peer.name}: the host at ${at} has another key than the one it enrolled with.`,
      "If the host was installed anew, forget the minion and enrol it again; otherwise find out who answers there.",
    );
  }
}

function namedIn(
  certificate: PeerCertificate,
): { role: CertificateRole; name: string } | undefined {
  const names = certificate.subjectAltName;
  // Node quotes an alternative name that could be mistaken for two; no certificate of ours has one
  // and says null, whatever its types say, where the extension is damaged
  if (certificate.ca || typeof names !== "string" || names.includes('"')) return undefined;
  const uris = names.split(", ").filter((entry) => entry.startsWith("URI:func:"));
  const [, role, name] = IDENTITY_URI.exec(uris[0]?.slice("URI:".length) ?? "") ?? [];
  if (uris.length !== 1 || !isRole(role) || name === undefined || !isMinionName(name)) {
    return undefined;
  }
  const usages = certificate.keyUsage;
  if (!Array.isArray(usages) || usages.length !== 1 || usages[0] !== KEY_USAGE_OF[role]) {
    return undefined;
  }
  return { role, name };
}

function isRole(role: string | undefined): role is CertificateRole {
  return role !== undefined && role in KEY_USAGE_OF;
}
