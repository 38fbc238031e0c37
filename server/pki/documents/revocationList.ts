import { hash, type KeyObject, type X509Certificate } from "node:crypto";
import { FuncError, messageOf } from "../../common/errors";
import { isMinionName } from "../../common/minionName";
import type { Role } from "../certificates/identity";
import {
  isSignedByOne,
  readSignatures,
  signatureLines,
  type DocumentSignature,
} from "./documentSignatures";

/** Code of the fault by which a minion whose list is damaged asks for one. */
export const LIST_WANTED_FAULT = 51;

/** One certificate that is of no more worth. Its key is revoked in whatever certificate it appears. */
export interface RevokedCertificate {
  /** As in CertificateRecord. */
  serial: string;
  keyFingerprint: string;
  role: Role;
  name: string;
  atMs: number;
}

export interface RevocationList {
  /** Higher with every revocation; 0 before the first. */
  number: number;
  issuedAtMs: number;
  revoked: RevokedCertificate[];
}

export interface SignedRevocationList extends RevocationList {
  /** What minions are sent; see `signRevocationList`. */
  document: string;
}

/**
 * So long after its revocation an entry stays in every later list: a certificate runs for 825 days at most, and may
 * be renewed for a year after its end.
 */
export const KEPT_FOR_MS = (825 + 366) * 24 * 60 * 60 * 1000;

const FORMAT = "func-revocations 1";
const MAX_REVOKED = 100_000;
const MAX_BYTES = 64 * 1024 * 1024;
const REVOKED_LINE =
  /^revoked ([0-9A-F]{1,64}) ([0-9a-f]{64}) (minion|overlord|operator) (\S+) (\S+)$/;

/**
 * The revocation list as minions get it: lines of ASCII, each ended by a line feed, with one space between
 * words; times are ISO 8601 in UTC with milliseconds, fingerprints and signers hex SHA-256 of public keys
 * (SPKI, DER).
 *
 *     func-revocations 1
 *     number NUMBER
 *     issued TIME
 *     revoked SERIAL KEYFINGERPRINT ROLE NAME TIME      (any number of these)
 *     signature SIGNER BASE64                           (one for each signer)
 *
 * What is signed are the bytes of all lines before the first "signature", their line feeds included: ECDSA
 * with SHA-256 (DER) by an EC key, RSA PKCS #1 v1.5 with SHA-256 by an RSA key, pure EdDSA by an Ed25519 key.
 * The first line keeps a signature from ever meaning anything else. There is one way to write a list: any
 * other is not read.
 */
export function signRevocationList(
  list: RevocationList,
  signers: readonly KeyObject[],
): SignedRevocationList {
  const text = textOf(list);
  return { ...list, document: text + signatureLines(text, signers) };
}

/**
 * Reads a list that one of these CAs has signed. Throws FuncError "bad-data" where it is not in the form
 * above, "denied" where none of them has signed it as it is.
 */
export function verifyRevocationList(
  document: string,
  authorities: readonly X509Certificate[],
): SignedRevocationList {
  const { list, text, signatures } = parse(document);
  if (isSignedByOne(authorities, text, signatures)) return { ...list, document };
  throw new FuncError(
    "denied",
    "The revocation list has no valid signature of a CA that is trusted here.",
  );
}

/** Equal for lists that revoke the same keys. */
export function digestOfList({ revoked }: Pick<RevocationList, "revoked">): string {
  return hash("sha256", [...keysOf(revoked)].sort().join("\n"), "hex");
}

/** Keys that `present` revokes and `next` does not, although it should still. */
export function missingIn(
  next: RevocationList,
  present: Pick<RevocationList, "revoked">,
): RevokedCertificate[] {
  const keys = keysOf(next.revoked);
  return present.revoked.filter(
    ({ keyFingerprint: key, atMs }) => !keys.has(key) && atMs + KEPT_FOR_MS >= next.issuedAtMs,
  );
}

function keysOf(revoked: readonly RevokedCertificate[]): Set<string> {
  return new Set(revoked.map(({ keyFingerprint: key }) => key));
}

function textOf({ number, issuedAtMs, revoked }: RevocationList): string {
  const lines = revoked.map(
    ({ serial, keyFingerprint: key, role, name, atMs }) =>
      `revoked ${serial} ${key} ${role} ${name} ${timeText(atMs)}\n`,
  );
  return `${FORMAT}\nnumber ${number}\nissued ${timeText(issuedAtMs)}\n${lines.join("")}`;
}

interface ParsedList {
  list: RevocationList;
  text: string;
  signatures: DocumentSignature[];
}

function parse(document: string): ParsedList {
  try {
    if (document.length > MAX_BYTES) throw new Error("it is too long");
    const lines = document.split("\n");
    const [format, number, issued, ...rest] = lines;
    if (format !== FORMAT) throw new Error(`it does not begin with "${FORMAT}"`);
    if (rest.pop() !== "") throw new Error("its end is missing");
    const firstSignature = rest.findIndex((line) => line.startsWith("signature "));
    const signed = firstSignature < 0 ? [] : rest.splice(firstSignature);
    if (rest.length > MAX_REVOKED) throw new Error("it is too long");
    const list: RevocationList = {
      number: Number(/^number (0|[1-9]\d{0,14})$/.exec(number ?? "")?.[1] ?? NaN),
      issuedAtMs: timeOf(/^issued (\S+)$/.exec(issued ?? "")?.[1]),
      revoked: rest.map(revokedOf),
    };
    const text = textOf(list);
    if (text !== document.slice(0, text.length)) throw new Error("it is malformed");
    return { list, text, signatures: readSignatures(signed) };
  } catch (error) {
    throw new FuncError("bad-data", `The revocation list cannot be read: ${messageOf(error)}.`);
  }
}

function revokedOf(line: string): RevokedCertificate {
  const [, serial = "", key = "", role, name = "", time] = REVOKED_LINE.exec(line) ?? [];
  if (!isRole(role) || !isMinionName(name)) throw new Error("a line of it is malformed");
  return { serial, keyFingerprint: key, role, name, atMs: timeOf(time) };
}

function isRole(role: string | undefined): role is Role {
  return role === "minion" || role === "overlord" || role === "operator";
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

function timeOf(text: string | undefined): number {
  const ms = Date.parse(text ?? "");
  if (!Number.isFinite(ms)) throw new Error("a time in it is malformed");
  return ms;
}
