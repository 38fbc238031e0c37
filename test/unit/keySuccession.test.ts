import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, expect, it } from "vitest";
import { readProgress } from "../../server/delegation/delegatedProgress";
import { endedJob } from "../../server/jobs/engine/signedCalls";
import { keyFingerprint } from "../../server/pki/certificates/identity";
import {
  MAX_SUCCESSIONS,
  readSuccessions,
  signSuccession,
  successionsTo,
} from "../../server/pki/documents/keySuccession";
import { formerKeys, signResult } from "../../server/pki/documents/resultReceipt";
import type { KeySuccession, ResultReceipt } from "../../server/protocol/delegation";

const KEYS = Array.from(
  { length: 12 },
  () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
);
const OTHER = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;

function key(index: number): KeyObject {
  const found = KEYS[index];
  if (!found) throw new Error("no such key");
  return found;
}

/** From the first of the keys to the last, one after another. */
function chain(first: number, last: number): KeySuccession[] {
  const found: KeySuccession[] = [];
  for (let at = first; at < last; at++) found.push(signSuccession(key(at), key(at + 1)));
  return found;
}

function receipt(signer: KeyObject, succession: KeySuccession[]): ResultReceipt {
  return signResult({ callId: "call 1", digest: "digest" }, signer, succession);
}

const prints = (first: number, last: number) =>
  KEYS.slice(first, last).map((one) => keyFingerprint(one));

describe("a chain of keys", () => {
  it("names all that lead to the one that signs, an RSA and an Ed25519 key as well", () => {
    expect(formerKeys(receipt(key(3), chain(0, 3)))).toEqual(prints(0, 3));
    expect(formerKeys(receipt(key(3), []))).toEqual([]);
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    const ed = generateKeyPairSync("ed25519").privateKey;
    const mixed = [signSuccession(rsa, ed), signSuccession(ed, key(0))];
    expect(formerKeys(receipt(key(0), mixed))).toEqual([rsa, ed].map((one) => keyFingerprint(one)));
  });

  it("counts from its last break on only", () => {
    const [first, , ...rest] = chain(0, 4);
    expect(formerKeys(receipt(key(4), [...(first ? [first] : []), ...rest]))).toEqual(prints(2, 4));
    expect(formerKeys(receipt(key(4), chain(0, 3)))).toEqual([]);
    expect(formerKeys(receipt(key(3), chain(0, 3).reverse()))).toEqual([]);
  });

  it("that was forged does not lead to the key that it names", () => {
    const { signature } = signSuccession(OTHER, key(1));
    const { publicKey } = signSuccession(key(0), key(1));
    expect(formerKeys(receipt(key(1), [{ publicKey, signature }]))).toEqual([]);
    // the word of the known key is for another one
    expect(formerKeys(receipt(OTHER, chain(0, 1)))).toEqual([]);
    // a signature of something else
    const result = receipt(key(0), []);
    expect(formerKeys(receipt(key(1), [{ publicKey, signature: result.signature }]))).toEqual([]);
    for (const broken of ["", "%", "AAAA"]) {
      expect(formerKeys(receipt(key(1), [{ publicKey, signature: broken }]))).toEqual([]);
      expect(formerKeys(receipt(key(1), [{ publicKey: broken, signature }]))).toEqual([]);
    }
  });

  it("that is too long counts for nothing, and is not passed on", () => {
    const most = chain(0, MAX_SUCCESSIONS);
    expect(formerKeys(receipt(key(MAX_SUCCESSIONS), most))).toHaveLength(MAX_SUCCESSIONS);
    const long = receipt(key(MAX_SUCCESSIONS + 1), chain(0, MAX_SUCCESSIONS + 1));
    expect(formerKeys(long)).toEqual([]);
    expect(() => readSuccessions(long.succession)).toThrow(/too many/);
    expect(endedJob(["value", JSON.stringify(long)], "call 1").receipt).toBeUndefined();
    expect(() => readProgress(progress(long))).toThrow(/cannot be read/);
  });

  it("goes on with the receipt from hop to hop as it is", () => {
    const full = receipt(key(MAX_SUCCESSIONS), chain(0, MAX_SUCCESSIONS));
    expect(endedJob(["value", JSON.stringify(full)], "call 1").receipt).toEqual(full);
    expect(readProgress(progress(full)).results[0]?.receipt).toEqual(full);
  });

  it("ends before the present key where a renewal came to nothing after it was noted", () => {
    const noted = chain(0, 3);
    expect(successionsTo(key(2), noted)).toEqual(noted.slice(0, 2));
  });
});

function progress(one: ResultReceipt): string {
  const result = { minion: "leaf1", callId: "call 1", state: "succeeded", value: 1, receipt: one };
  return JSON.stringify({ cursor: "a:1", results: [result], finished: true });
}
