import { createPublicKey, type KeyObject } from "node:crypto";
import type { KeySuccession } from "../../protocol/delegation";
import { keyFingerprint } from "../certificates/identity";
import { publicKeyOf } from "./delegatedCall";
import { isSignedBy, signatureOf } from "./documentSignatures";

/** So many are kept and told; renewals are months apart. */
export const MAX_SUCCESSIONS = 8;

const FORMAT = "func-key-succession/1";
const MAX_TEXT_LENGTH = 2_000;
const SIGNATURE = /^[A-Za-z0-9+/]{1,2000}={0,2}$/;

/** The word of the private key `old` that `next` (either half) is the same host's from now on. */
export function signSuccession(old: KeyObject, next: KeyObject): KeySuccession {
  return { publicKey: spkiText(old), signature: signatureOf(textOf(next), old) };
}

/**
 * Successions in the form in which they are told, oldest first; what is said in them is not judged. Throws Error where
 * it is something else, or more than `MAX_SUCCESSIONS`.
 */
export function readSuccessions(document: unknown): KeySuccession[] {
  if (!Array.isArray(document)) throw new Error("it is no list of keys");
  if (document.length > MAX_SUCCESSIONS) throw new Error("it has too many keys");
  return document.map((one: unknown) => {
    const { publicKey, signature } = (one ?? {}) as Record<string, unknown>;
    if (!isShort(publicKey) || !isShort(signature)) throw new Error("a key of it is malformed");
    return { publicKey, signature };
  });
}

/**
 * Those that lead to the key (either half) without a break, oldest first: each key has signed the next one, the last of
 * them `present`. What stands before a break does not count; nor does what follows `present` where that is in it.
 */
export function successionsTo(
  present: KeyObject,
  successions: readonly KeySuccession[],
): KeySuccession[] {
  const found: KeySuccession[] = [];
  let next = present;
  const own = successions.findIndex(({ publicKey }) => publicKey === spkiText(present));
  const before = own === -1 ? successions : successions.slice(0, own);
  for (const one of before.slice(-MAX_SUCCESSIONS).reverse()) {
    const old = signerOf(one, next);
    if (!old) break;
    found.unshift(one);
    next = old;
  }
  return found;
}

/** hex SHA-256 of each key that `successions` name, oldest first. Throws Error where one is no key. */
export function formerFingerprints(successions: readonly KeySuccession[]): string[] {
  return successions.map(({ publicKey }) => keyFingerprint(publicKeyOf(publicKey)));
}

/** The key of `succession`, where that has signed that `next` follows it. */
function signerOf({ publicKey, signature }: KeySuccession, next: KeyObject): KeyObject | undefined {
  if (!SIGNATURE.test(signature)) return undefined;
  try {
    const old = publicKeyOf(publicKey);
    return isSignedBy(old, textOf(next), Buffer.from(signature, "base64")) ? old : undefined;
  } catch {
    return undefined; // no key, or one that signs nothing
  }
}

function textOf(next: KeyObject): string {
  return `${FORMAT}\n${spkiText(next)}\n`;
}

function spkiText(key: KeyObject): string {
  const half = key.type === "public" ? key : createPublicKey(key);
  return half.export({ type: "spki", format: "der" }).toString("base64");
}

function isShort(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= MAX_TEXT_LENGTH;
}
