import { createPublicKey, type KeyObject } from "node:crypto";
import type { ResultReceipt } from "../../protocol/delegation";
import { keyFingerprint } from "../certificates/identity";
import { publicKeyOf } from "./delegatedCall";
import { isSignedBy, signatureOf } from "./documentSignatures";

/** What a receipt is for. */
interface ReceiptClaim {
  callId: string;
  /** base64 SHA-256, see `digestOfValue`. */
  digest: string;
}

const SIGNATURE = /^[A-Za-z0-9+/]{1,2000}={0,2}$/;

/**
 * A host's word that this is its result of the call. What is signed is the JSON array ["func-receipt 1", call id,
 * digest], as in `signatureLines` by the kind of key.
 */
export function signResult(claim: ReceiptClaim, key: KeyObject): ResultReceipt {
  const publicKey = createPublicKey(key).export({ type: "spki", format: "der" });
  return {
    callId: claim.callId,
    digest: claim.digest,
    publicKey: publicKey.toString("base64"),
    signature: signatureOf(textOf(claim), key),
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

function textOf({ callId, digest }: ReceiptClaim): string {
  return JSON.stringify(["func-receipt 1", callId, digest]);
}
