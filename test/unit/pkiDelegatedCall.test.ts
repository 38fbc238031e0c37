import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FuncError } from "../../server/common/errors";
import { keyFingerprint } from "../../server/pki/certificates/identity";
import {
  readSignedCall,
  signCall,
  type DelegatedCall,
} from "../../server/pki/documents/delegatedCall";
import { signResult, verifyReceipt } from "../../server/pki/documents/resultReceipt";
import { isTargetOf, TargetTree, type TreeTarget } from "../../server/pki/documents/targetTree";
import type { SignedCall } from "../../server/protocol/delegation";
import type { JsonValue } from "../../server/protocol/value";

const KEY = generateKeyPairSync("ec", { namedCurve: "P-256" });
const OTHER = generateKeyPairSync("ec", { namedCurve: "P-256" });

function targetsOf(count: number): TreeTarget[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `host${index}`,
    callId: `call ${index}`,
    ...(index % 3 === 0 && { identity: index.toString(16).padStart(64, "0") }),
  }));
}

function callOf(changes: Partial<DelegatedCall> = {}): DelegatedCall {
  const { root, count } = new TargetTree(targetsOf(3));
  return {
    originator: "top",
    job: "job-1",
    method: "command.run",
    args: ["uptime", { $base64: "AAE=" }, [1, 2.5]],
    async: false,
    issuedAtMs: 1_000,
    validUntilMs: 2_000,
    root,
    count,
    ...changes,
  };
}

function refusalOf(call: SignedCall): string {
  try {
    readSignedCall(call);
  } catch (error) {
    if (error instanceof FuncError) return error.reason;
    throw error;
  }
  return "none";
}

describe("the tree of targets", () => {
  it("proves each of its targets, and no other one", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.nat(), fc.nat(), (size, one, two) => {
        const targets = targetsOf(size);
        const tree = new TargetTree(targets);
        const [index, other] = [one % size, two % size];
        const target = targets[index] ?? { name: "", callId: "" };
        const proof = tree.proofOf(index);
        expect(isTargetOf(tree, target, proof)).toBe(true);
        expect(isTargetOf(tree, { ...target, name: "else" }, proof)).toBe(false);
        expect(isTargetOf(tree, { ...target, callId: "else" }, proof)).toBe(false);
        expect(isTargetOf(tree, { ...target, identity: "f".repeat(64) }, proof)).toBe(false);
        expect(isTargetOf(tree, target, tree.proofOf(other))).toBe(other === index);
        expect(isTargetOf({ root: tree.root, count: size + 1 }, target, proof)).toBe(false);
        const hashes = [...proof.hashes, Buffer.alloc(32).toString("base64")];
        expect(isTargetOf(tree, target, { ...proof, hashes })).toBe(false);
        if (size > 1) {
          const less = { ...proof, hashes: proof.hashes.slice(1) };
          expect(isTargetOf(tree, target, less)).toBe(false);
        }
      }),
    );
  });

  it("has a root for each list of targets, in their order", () => {
    const roots = Array.from({ length: 40 }, (_, size) => new TargetTree(targetsOf(size + 1)).root);
    roots.push(new TargetTree(targetsOf(5).reverse()).root);
    expect(new Set(roots).size).toBe(41);
  });

  it("is the tree of RFC 9162", () => {
    // three leaves: the node of the first two, and the third as it is
    const [a, b, c] = targetsOf(3).map((target) => new TargetTree([target]).root);
    const tree = new TargetTree(targetsOf(3));
    expect(tree.proofOf(0).hashes).toEqual([b, c]);
    expect(tree.proofOf(2).hashes).toEqual([new TargetTree(targetsOf(2)).root]);
    expect(a).not.toBe(tree.root);
  });

  it("does not take one hash for another kind: no node is a leaf", () => {
    const targets = targetsOf(4);
    const tree = new TargetTree(targets);
    const [first] = targets;
    const proof = tree.proofOf(0);
    // the second level shown as if it were the first
    const shorter = { index: 0, count: 2, hashes: proof.hashes.slice(1) };
    expect(first && isTargetOf({ root: tree.root, count: 2 }, first, shorter)).toBe(false);
  });

  it("refuses no targets, too many, and a place that is none", () => {
    expect(() => new TargetTree([])).toThrow(RangeError);
    expect(() => new TargetTree(targetsOf(100_001))).toThrow(RangeError);
    const tree = new TargetTree(targetsOf(2));
    for (const index of [-1, 2, 0.5]) expect(() => tree.proofOf(index)).toThrow(RangeError);
    const [target = { name: "", callId: "" }] = targetsOf(1);
    for (const index of [-1, 2, 0.5, NaN]) {
      expect(isTargetOf(tree, target, { ...tree.proofOf(0), index })).toBe(false);
    }
  });
});

describe("a signed call", () => {
  it("is read as it was signed, with the key that signed it", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.boolean(), (args, isAsync) => {
        const plain = JSON.parse(JSON.stringify(args)) as JsonValue[];
        const call = callOf({ args: plain, async: isAsync });
        const signed = signCall(call, KEY.privateKey);
        const read = readSignedCall(signed);
        expect(read).toEqual({ ...call, keyFingerprint: keyFingerprint(KEY.publicKey) });
      }),
    );
  });

  it("is the same text for the same call, with everything in it", () => {
    const { text } = signCall(callOf(), KEY.privateKey);
    expect(signCall(callOf(), OTHER.privateKey).text).toBe(text);
    expect(Object.keys(JSON.parse(text) as object)).toEqual([
      ...["format", "originator", "job", "method", "args", "async"],
      ...["issuedAtMs", "validUntilMs", "root", "count"],
    ]);
  });

  it("is refused with any byte changed, and with another key", () => {
    const signed = signCall(callOf(), KEY.privateKey);
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 127 }), (place, change) => {
        const bytes = Buffer.from(signed.text);
        const at = place % bytes.length;
        bytes[at] = (bytes[at] ?? 0) ^ change;
        const text = bytes.toString("utf8");
        fc.pre(text !== signed.text);
        expect(refusalOf({ ...signed, text })).toBe("denied");
      }),
    );
    const { publicKey } = signCall(callOf(), OTHER.privateKey);
    expect(refusalOf({ ...signed, publicKey })).toBe("denied");
    expect(refusalOf({ ...signed, signature: "" })).toBe("denied");
    expect(refusalOf({ ...signed, publicKey: "AAAA" })).toBe("bad-data");
    expect(refusalOf({ ...signed, publicKey: "no base64" })).toBe("bad-data");
  });

  it("is refused where it is malformed, though signed", () => {
    const changes: Partial<Record<keyof DelegatedCall, unknown>>[] = [
      { originator: "no name" },
      { originator: 1 },
      { job: null },
      { job: "j".repeat(1_001) },
      { method: "with space" },
      { method: "" },
      { args: { 0: "x" } },
      { async: 1 },
      { issuedAtMs: -1 },
      { validUntilMs: "soon" },
      { root: "AAAA" },
      { count: 0 },
      { count: 100_001 },
    ];
    for (const change of changes) {
      const signed = signCall({ ...callOf(), ...change } as DelegatedCall, KEY.privateKey);
      expect([change, refusalOf(signed)]).toEqual([change, "bad-data"]);
    }
  });

  it("is no receipt, and a receipt is none", () => {
    const receipt = signResult({ callId: "c", digest: "d" }, KEY.privateKey);
    const text = JSON.stringify(["func-receipt 1", "c", "d"]);
    expect(refusalOf({ ...receipt, text })).toBe("bad-data");
  });
});

describe("a receipt", () => {
  const claim = { callId: "call 1", digest: "digest" };

  it.each(["ec", "rsa", "ed25519"] as const)("of a host with a key of the kind %s", (kind) => {
    const pair =
      kind === "ec"
        ? KEY
        : kind === "rsa"
          ? generateKeyPairSync("rsa", { modulusLength: 2048 })
          : generateKeyPairSync("ed25519");
    const receipt = signResult(claim, pair.privateKey);
    expect(verifyReceipt(receipt, claim)).toBe(keyFingerprint(pair.publicKey));
  });

  it("is good for its call and its result only", () => {
    const receipt = signResult(claim, KEY.privateKey);
    expect(verifyReceipt(receipt, { ...claim, callId: "call 2" })).toBeUndefined();
    expect(verifyReceipt(receipt, { ...claim, digest: "else" })).toBeUndefined();
    const relabelled = { ...receipt, callId: "call 2" };
    expect(verifyReceipt(relabelled, { ...claim, callId: "call 2" })).toBeUndefined();
    const { publicKey } = signResult(claim, OTHER.privateKey);
    expect(verifyReceipt({ ...receipt, publicKey }, claim)).toBeUndefined();
    expect(verifyReceipt({ ...receipt, publicKey: "AAAA" }, claim)).toBeUndefined();
    expect(verifyReceipt({ ...receipt, signature: "!" }, claim)).toBeUndefined();
  });
});
