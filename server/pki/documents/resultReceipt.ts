import { createPublicKey, type KeyObject } from "node:crypto";
import type { KeySuccession, ResultReceipt } from "../../protocol/delegation";
import { keyFingerprint } from "../certificates/identity";
import { publicKeyOf } from "./delegatedCall";
import { isSignedBy, signatureOf } from "./documentSignatures";
import { formerFingerprints, MAX_SUCCESSIONS, successionsTo } from "./keySuccession";

/** What a receipt is for. */
interface ReceiptClaim {
  callId: string;
  /** base64 SHA-256, see `digestOfValue`. */
  digest: string;
}

const SIGNATURE = /^[A-Za-z0-9+/]{1,2000}={0,2}$/;

/**
 * A host's word that this is its result of the call. What is signed is the JSON array ["func-receipt 1", call id,
 * digest], as in `signatureLines` by the kind of key. `succession`: the keys that the host had before.
 */
export function signResult(
  claim: ReceiptClaim,
  key: KeyObject,
  succession: readonly KeySuccession[] = [],
): ResultReceipt {
  const publicKey = createPublicKey(key).export({ type: "spki", format: "der" });
  return {
    callId: claim.callId,
    digest: claim.digest,
    publicKey: publicKey.toString("base64"),
    signature: signatureOf(textOf(claim), key),
    ...(succession.length > 0 && { succession: [...succession] }),
  };
}

/** Fingerprint of the key that has signed this result of this call; undefined where the receipt is not good for it. */
export function verifyReceipt(receipt: ResultReceipt, claim: ReceiptClaim): string | undefined {
  const { callId, digest, publicKey, signature } = receipt;
  if (callId !== claim.callId || digest !== claim.digest || !SIGNATURE.test(signature)) {
    return undefined;
  }
  try {
    const key = publicKeyOf(publicKey);
    const isSigned = isSignedBy(key, textOf(claim), Buffer.from(signature, "base64"));
    return isSigned ? keyFingerprint(key) : undefined;
  } catch {
    return undefined; // no key
  }
}

/**
 * Fingerprints of the keys that the one of a good receipt has followed, oldest first, as each of them has signed
 * it itself; none where nothing of that holds.
 */
export function formerKeys({ publicKey, succession = [] }: ResultReceipt): string[] {
  if (succession.length === 0 || succession.length > MAX_SUCCESSIONS) return [];
  try {
    return formerFingerprints(successionsTo(publicKeyOf(publicKey), succession));
  } catch {
    return []; // no key
  }
}

function textOf({ callId, digest }: ReceiptClaim): string {
  return JSON.stringify(["func-receipt 1", callId, digest]);
}
