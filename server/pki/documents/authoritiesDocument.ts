import { X509Certificate, type KeyObject } from "node:crypto";
import { FuncError, messageOf } from "../../common/errors";
import { certificatePem } from "../certificates/certificate";
import { isSignedByOne, readSignatures, signatureLines } from "./documentSignatures";

/** Which CAs are trusted from now on. */
export interface Authorities {
  /** Higher with every change; a lower one never takes the place of a higher one. */
  number: number;
  authorities: X509Certificate[];
}

const FORMAT = "func-authorities 1";
/** The CAs of one fleet: two while they change over. */
const MAX_AUTHORITIES = 8;
const MAX_BYTES = 256 * 1024;

/**
 * What tells minions which CAs to trust: lines of ASCII, each ended by a line feed.
 *
 *     func-authorities 1
 *     number NUMBER
 *     authority BASE64                  (a certificate, DER; 1 to 8 of these)
 *     signature SIGNER BASE64           (see `signatureLines`)
 *
 * What is signed are the bytes of all lines before the first "signature". A signer is one of the CAs it names, so
 * that a document which is kept can be checked by itself.
 */
export function signAuthorities(
  { number, authorities }: Authorities,
  signers: readonly KeyObject[],
): string {
  const text = textOf(number, authorities);
  return text + signatureLines(text, signers);
}

/**
 * Reads such a document, signed by one of `trusted`, or where none are given by one that it names itself. Throws
 * FuncError "bad-data" where it is not in this form, "denied" where none of them has signed it as it is.
 */
export function readAuthoritiesDocument(
  document: string,
  trusted?: readonly X509Certificate[],
): Authorities {
  let signed: boolean;
  let read: Authorities;
  try {
    if (document.length > MAX_BYTES) throw new Error("it is too long");
    const lines = document.split("\n");
    if (lines.pop() !== "") throw new Error("its end is missing");
    const signatureAt = lines.findIndex((line) => line.startsWith("signature "));
    const signatures = readSignatures(signatureAt < 0 ? [] : lines.splice(signatureAt));
    const [, numberLine = "", ...rest] = lines;
    const number = Number(/^number ([1-9]\d{0,14})$/.exec(numberLine)?.[1] ?? NaN);
    if (rest.length === 0 || rest.length > MAX_AUTHORITIES) throw new Error("it is malformed");
    const authorities = rest.map(authorityOf);
    const text = textOf(number, authorities);
    if (text !== document.slice(0, text.length)) throw new Error("it is malformed");
    read = { number, authorities };
    signed = isSignedByOne(trusted ?? authorities, text, signatures);
  } catch (error) {
    throw new FuncError("bad-data", `The list of CAs cannot be read: ${messageOf(error)}.`);
  }
  if (signed) return read;
  throw new FuncError("denied", "The list of CAs has no valid signature of a CA that is trusted.");
}

/** PEM of them all, one after the other. */
export function authoritiesPem(authorities: readonly X509Certificate[]): string {
  return authorities.map((authority) => certificatePem(authority)).join("");
}

function textOf(number: number, authorities: readonly X509Certificate[]): string {
  const lines = authorities.map(({ raw }) => `authority ${raw.toString("base64")}\n`);
  return `${FORMAT}\nnumber ${number}\n${lines.join("")}`;
}

function authorityOf(line: string): X509Certificate {
  const der = /^authority ([A-Za-z0-9+/]{1,20000}={0,2})$/.exec(line)?.[1];
  if (der === undefined) throw new Error("a line of it is malformed");
  const authority = new X509Certificate(Buffer.from(der, "base64"));
  if (!authority.ca || !authority.verify(authority.publicKey)) {
    throw new Error("what it names is not the certificate of a CA");
  }
  return authority;
}
