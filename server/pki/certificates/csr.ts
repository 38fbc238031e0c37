import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from "node:crypto";
import { FuncError, messageOf } from "../../common/errors";
import { isMinionName, parseMinionName } from "../../common/minionName";
import { subjectPublicKeyInfo } from "./certificate";
import {
  bits,
  bitString,
  children,
  content,
  decode,
  encode,
  explicit,
  integer,
  isContext,
  nested,
  oid,
  oidText,
  sequence,
  set,
  TAG,
  type Der,
} from "./der";
import { commonName, commonNamesIn, distinguishedName } from "./distinguishedName";
import { alternativeNames, DNS_NAME, SUBJECT_ALT_NAME, URI_NAME } from "./extensions";
import { fromPem, toPem } from "./pem";
import { hashOf, signatureAlgorithm } from "./signatureAlgorithm";

const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";
/** The role that a request names; the signer decides which one it gets. */
type RequestRole = "minion" | "operator";
const LABELS = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"] as const;
/** A request with an RSA key of 8192 bits takes under 4 KiB. */
const MAX_CSR_CHARACTERS = 16 * 1024;
const P256 = "1.2.840.10045.3.1.7";
const MIN_RSA_BITS = 2048;
/** Larger keys only cost the verifier time. */
const MAX_RSA_BITS = 8192;

/**
 * A PKCS #10 request as PEM, signed by the key, for the certificate of a minion (or an operator) of this name.
 * Throws FuncError "bad-argument" where `name` follows another grammar than minions' names.
 */
export function createCsr(
  name: string,
  privateKeyPem: string,
  role: RequestRole = "minion",
): string {
  const subject = parseMinionName(name);
  const key = createPrivateKey(privateKeyPem);
  const dnsName = role === "minion" ? subject : undefined;
  const requested = sequence(alternativeNames(uriPrefix(role) + subject, dnsName));
  const info = sequence(
    integer(Uint8Array.of(0)),
    distinguishedName(subject),
    subjectPublicKeyInfo(createPublicKey(key)),
    explicit(0, sequence(oid(EXTENSION_REQUEST), set(requested))),
  );
  const signature = sign("sha256", encode(info), key);
  const request = sequence(info, signatureAlgorithm(key), bitString(signature));
  return toPem(LABELS[0], encode(request));
}

/**
 * Reads a PKCS #10 request in PEM and checks that its sender holds the key. The name (lower case) comes from
 * the URI `func:ROLE:NAME`, else from the common name, else from the first DNS name. A request that names
 * another role than `role` is refused. Keys: EC P-256, RSA of 2048 to 8192 bits. Throws FuncError "bad-data".
 */
export function readCsr(
  pem: string,
  role: RequestRole = "minion",
): { name: string; publicKey: KeyObject } {
  try {
    return read(pem, role);
  } catch (error) {
    throw new FuncError(
      "bad-data",
      `The certificate request cannot be used: ${messageOf(error)}.`,
      'Make a new one with "funcd csr".',
      { cause: error },
    );
  }
}

function read(pem: string, role: RequestRole): { name: string; publicKey: KeyObject } {
  if (pem.length > MAX_CSR_CHARACTERS) throw new Error("it is too large");
  const der = fromPem(LABELS, pem);
  if (der === undefined) throw new Error("it is not in PEM form");
  const [info, algorithm, signature] = children(decode(der));
  const [, subject, keyInfo, attributes] = children(info);
  if (info === undefined || keyInfo === undefined) throw new Error("it is incomplete");
  const publicKey = createPublicKey({ key: encode(keyInfo), type: "spki", format: "der" });
  checkKey(publicKey, keyInfo);
  if (!verify(hashOf(algorithm, publicKey), encode(info), publicKey, bits(signature))) {
    throw new Error("its signature is wrong");
  }
  const names = requestedNames(attributes);
  return { name: nameOf(commonNamesIn(subject), names, uriPrefix(role)), publicKey };
}

function checkKey(key: KeyObject, keyInfo: Der): void {
  if (key.asymmetricKeyType === "ec") {
    // named by its identifier: the same curve spelled out is not for certificates (RFC 5480)
    const curve = children(children(keyInfo)[0])[1];
    if (curve?.type === TAG.oid && oidText(curve) === P256) return;
  }
  const size = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType === "rsa" && size >= MIN_RSA_BITS && size <= MAX_RSA_BITS) return;
  throw new Error(`its key is neither EC P-256 nor RSA of ${MIN_RSA_BITS} to ${MAX_RSA_BITS} bits`);
}

interface RequestedNames {
  uris: string[];
  dnsNames: string[];
}

function requestedNames(attributes: Der | undefined): RequestedNames {
  const names: RequestedNames = { uris: [], dnsNames: [] };
  if (attributes === undefined || !isContext(attributes, 0)) return names;
  const extensions = nested(attributes)
    .map((attribute) => children(attribute))
    .filter(([type]) => oidText(type) === EXTENSION_REQUEST)
    .flatMap(([, values]) => children(values, TAG.set))
    .flatMap((list) => children(list))
    .map((extension) => children(extension));
  for (const extension of extensions) {
    if (oidText(extension[0]) !== SUBJECT_ALT_NAME) continue;
    const encoded = content(extension.at(-1), TAG.octetString);
    for (const name of children(decode(encoded))) {
      if (typeof name.value !== "string") continue;
      if (isContext(name, URI_NAME)) names.uris.push(name.value);
      if (isContext(name, DNS_NAME)) names.dnsNames.push(name.value);
    }
  }
  return names;
}

function nameOf(commonNames: string[], requested: RequestedNames, prefix: string): string {
  const [common] = commonNames;
  const uris = requested.uris.filter((uri) => uri.startsWith("func:"));
  const [uri] = uris;
  const name = (uri?.slice(prefix.length) ?? common ?? requested.dnsNames[0])?.toLowerCase();
  if (name === undefined || !isMinionName(name)) throw new Error("it names nobody");
  const contradicts = uri !== undefined && common !== undefined && common !== commonName(name);
  if (
    commonNames.length > 1 ||
    uris.length > 1 ||
    contradicts ||
    uri?.startsWith(prefix) === false
  ) {
    throw new Error("it asks for more than one name, or for another role than is to be signed");
  }
  return name;
}

function uriPrefix(role: RequestRole): string {
  return `func:${role}:`;
}
