import { createPublicKey, type KeyObject } from "node:crypto";
import { FuncError, messageOf } from "../../common/errors";
import { isMinionName } from "../../common/minionName";
import type { SignedCall } from "../../protocol/delegation";
import type { JsonValue } from "../../protocol/value";
import { keyFingerprint, readPublicKey } from "../certificates/identity";
import { isSignedBy, signatureOf } from "./documentSignatures";
import { MAX_TARGETS } from "./targetTree";

/** What an originator asks of hosts that others call for it. */
export interface DelegatedCall {
  /** Name of the overlord that asks. */
  originator: string;
  /** Id of its job. */
  job: string;
  /** Full name, without "async.". */
  method: string;
  args: JsonValue[];
  async: boolean;
  /** Points in time between which hosts take it, by the originator's clock. */
  issuedAtMs: number;
  validUntilMs: number;
  /** base64 root of the tree of its targets, and how many they are (`targetTree.ts`). */
  root: string;
  count: number;
}

/** A call whose signature is good. Whether that key is the originator's is for the reader to say. */
export interface ReadCall extends DelegatedCall {
  /** hex SHA-256 of the key that signed it. */
  keyFingerprint: string;
}

/** The method by which a minion is handed a call that another overlord has signed. */
export const EXECUTE_METHOD = "delegation.execute";
/** Type of the error that a minion gives while no key is recorded there for the originator's name. */
export const UNKNOWN_ORIGINATOR = "func.minion.codes.UnknownOriginatorException";
/** So much may the clocks of originator and host differ. */
export const CLOCK_LEEWAY_MS = 5 * 60_000;

const FORMAT = "func-call 1";
const MAX_TEXT_LENGTH = 64_000_000;
const MAX_JOB_LENGTH = 1_000;
const METHOD_NAME = /^[\x21-\x7e]{1,512}$/;
const HASH = /^[A-Za-z0-9+/]{43}=$/;
const BASE64 = /^[A-Za-z0-9+/]{1,2000}={0,2}$/;

/**
 * Signs a call: `text` is JSON, all of the call's members after "format" in the order of `DelegatedCall`; what is
 * signed are its bytes (UTF-8; ECDSA with SHA-256 by an EC key). "format" comes first and keeps a signature from
 * ever meaning anything else.
 */
export function signCall(call: DelegatedCall, key: KeyObject): SignedCall {
  const { originator, job, method, args, issuedAtMs, validUntilMs, root, count } = call;
  const rest = { issuedAtMs, validUntilMs, root, count };
  const document = { format: FORMAT, originator, job, method, args, async: call.async, ...rest };
  const text = JSON.stringify(document);
  const publicKey = createPublicKey(key).export({ type: "spki", format: "der" });
  return { text, signature: signatureOf(text, key), publicKey: publicKey.toString("base64") };
}

/** Throws FuncError "bad-data" where it is not in that form, "denied" where its key has not signed it as it is. */
export function readSignedCall({ text, signature, publicKey }: SignedCall): ReadCall {
  let key: KeyObject;
  try {
    if (text.length > MAX_TEXT_LENGTH) throw new Error("it is too long");
    key = publicKeyOf(publicKey);
  } catch (error) {
    throw unreadable(error);
  }
  if (!BASE64.test(signature) || !isSignedBy(key, text, Buffer.from(signature, "base64"))) {
    throw new FuncError("denied", "The signed call has been changed: its signature is not valid.");
  }
  try {
    return { ...callIn(text), keyFingerprint: keyFingerprint(key) };
  } catch (error) {
    throw unreadable(error);
  }
}

/**
 * The key of an originator, or of a host that signs results, from base64 of its DER (SPKI). Throws Error where it is
 * none.
 */
export function publicKeyOf(base64: string): KeyObject {
  const known = knownKeys.get(base64);
  if (known) return known;
  if (!BASE64.test(base64)) throw new Error("a key of it is malformed");
  const key = readPublicKey(Buffer.from(base64, "base64"));
  if (knownKeys.size >= MAX_KNOWN_KEYS) knownKeys.clear();
  knownKeys.set(base64, key);
  return key;
}

/** Reading a key takes several times as long as checking a signature with it, and the same ones come again. */
const knownKeys = new Map<string, KeyObject>();
const MAX_KNOWN_KEYS = 20_000;

function unreadable(error: unknown): FuncError {
  return new FuncError("bad-data", `The signed call cannot be read: ${messageOf(error)}.`);
}

function callIn(text: string): DelegatedCall {
  const document = JSON.parse(text) as JsonValue;
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    throw new Error("it is no object");
  }
  const { format, originator, job, method, args, issuedAtMs, validUntilMs, root, count } = document;
  const isAsync = document.async;
  if (format !== FORMAT) throw new Error(`its format is not "${FORMAT}"`);
  if (typeof originator !== "string" || !isMinionName(originator)) {
    throw new Error("its originator has no name");
  }
  if (typeof job !== "string" || job.length > MAX_JOB_LENGTH)
    throw new Error("its job is malformed");
  if (typeof method !== "string" || !METHOD_NAME.test(method)) {
    throw new Error("its method is malformed");
  }
  if (!Array.isArray(args) || typeof isAsync !== "boolean") {
    throw new Error("its arguments are malformed");
  }
  if (!isTime(issuedAtMs) || !isTime(validUntilMs)) throw new Error("its times are malformed");
  if (typeof root !== "string" || !HASH.test(root) || !isCount(count)) {
    throw new Error("its targets are malformed");
  }
  return { originator, job, method, args, async: isAsync, issuedAtMs, validUntilMs, root, count };
}

function isTime(value: JsonValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isCount(value: JsonValue | undefined): value is number {
  return isTime(value) && value >= 1 && value <= MAX_TARGETS;
}
