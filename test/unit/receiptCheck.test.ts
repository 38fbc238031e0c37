import { createHash, generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  checkResult,
  digestOfJsonFile,
  type CheckedHost,
} from "../../server/delegation/receiptCheck";
import { keyFingerprint } from "../../server/pki/certificates/identity";
import { signResult } from "../../server/pki/documents/resultReceipt";
import type { DelegatedResult } from "../../server/protocol/delegation";
import { remoteError } from "../../server/wire/remoteError";
import { digestOfValue } from "../../server/wire/valueDigest";
import type { XmlRpcValue } from "../../server/wire/value";

const LEAF = generateKeyPairSync("ec", { namedCurve: "P-256" });
const OTHER = generateKeyPairSync("ec", { namedCurve: "P-256" });
const IDENTITY = keyFingerprint(LEAF.publicKey);
const HOST: CheckedHost = { name: "leaf1", hop: "mid1", callId: "call 1", identity: IDENTITY };
const UNKNOWN: CheckedHost = { name: "leaf1", hop: "mid1", callId: "call 1" };

function receiptOf(value: XmlRpcValue, key: KeyObject = LEAF.privateKey, callId = "call 1") {
  return signResult({ callId, digest: digestOfValue(value) }, key);
}

function told(changes: Partial<DelegatedResult> = {}): DelegatedResult {
  const value = [0, "done", ""];
  const receipt = receiptOf(value);
  return { minion: "leaf1", callId: "call 1", state: "succeeded", value, receipt, ...changes };
}

function check(result: DelegatedResult, host = HOST, fileDigest?: string) {
  const seen: string[] = [];
  const checked = checkResult(result, host, {
    onFirstSight: (key) => seen.push(key),
    ...(fileDigest !== undefined && { fileDigest }),
  });
  return { checked, seen };
}

function refusalOf(result: DelegatedResult, host = HOST): string | undefined {
  const { checked, seen } = check(result, host);
  expect(seen).toEqual([]);
  if (checked.state !== "failed" || checked.error === result.error) return undefined;
  expect(checked.value).toBeUndefined();
  expect(checked.receipt).toBeUndefined();
  expect(checked.mayHaveRun).toBe(true);
  return checked.error?.message;
}

describe("a result that a hop tells", () => {
  it("counts as the host's own where its key has signed it", () => {
    const result = told();
    expect(check(result).checked).toEqual({ ...result, signed: "yes" });
    expect(check(told()).seen).toEqual([]);
  });

  it("of an exception counts so as well, also where its message was cut", () => {
    const message = "m".repeat(3_000);
    const receipt = receiptOf(remoteError("exceptions.ValueError", message));
    const cut = `${message.slice(0, 600)}... (3000 characters in all)`;
    const error = { type: "exceptions.ValueError", message: cut, trace: "" };
    const failed = { state: "failed", error, receipt } as const;
    expect(check(told({ ...failed, value: undefined })).checked.signed).toBe("yes");
    const other = { ...error, type: "exceptions.OSError" };
    expect(refusalOf(told({ ...failed, error: other, value: undefined }))).toBeDefined();
  });

  it("of a host that was not known is taken, and its key told", () => {
    const { checked, seen } = check(told(), UNKNOWN);
    expect([checked.signed, seen]).toEqual(["first", [IDENTITY]]);
  });

  it("without a signature is taken of hosts only that nobody knows, or that cannot sign", () => {
    const unsigned = told({ receipt: undefined });
    expect(check(unsigned, UNKNOWN).checked.signed).toBe("no");
    expect(check(unsigned, { ...HOST, isOriginal: true }).checked.signed).toBe("no");
    expect(refusalOf(unsigned)).toBe(
      "mid1 has told a result of leaf1 without the signature of leaf1: it is not shown, since it may be invented or altered.",
    );
  });

  it("is found out where it is altered, invented, relabelled, or another host's", () => {
    expect(refusalOf(told({ value: [0, "other", ""] }))).toContain("not signed as it stands");
    expect(refusalOf(told({ value: [1, "done", ""] }))).toBeDefined();
    // a failure out of a success, and the other way round
    const error = { type: "exceptions.ValueError", message: "no", trace: "" };
    expect(refusalOf(told({ state: "failed", error, value: undefined }))).toBeDefined();
    // an earlier result of the same host
    const earlier = receiptOf([0, "done", ""], LEAF.privateKey, "call 0");
    expect(refusalOf(told({ receipt: earlier }))).toBeDefined();
    expect(refusalOf(told({ receipt: { ...earlier, callId: "call 1" } }))).toBeDefined();
    // what another host, or the hop itself, has signed
    const forged = receiptOf([0, "done", ""], OTHER.privateKey);
    expect(refusalOf(told({ receipt: forged }))).toContain("that another key has signed");
    // also where the host's key is not known, a signature has to be good
    expect(refusalOf(told({ receipt: earlier }), UNKNOWN)).toBeDefined();
  });

  it("is taken as told in states that no host can sign", () => {
    const error = { type: "socket.error", message: "leaf1 is away", trace: "" };
    for (const state of ["unreachable", "timed-out", "lost", "cancelled", "denied"] as const) {
      const result = told({ state, error, value: undefined });
      expect(check(result).checked).toEqual({ ...result, receipt: undefined });
    }
  });

  it("in a file is checked by what the file holds", () => {
    const value = ["x".repeat(100), { a: [1, 2.5, null] }];
    const content = Buffer.from(JSON.stringify(value));
    const sha256 = createHash("sha256").update(content).digest("hex");
    const output = { $output: { sha256, bytes: content.length, kind: "json", head: "" } };
    const result = told({ value: output, receipt: receiptOf(value) });
    expect(check(result, HOST, digestOfJsonFile(content)).checked.signed).toBe("yes");
    expect(refusalOf(result)).toBeDefined();
    expect(digestOfJsonFile(Buffer.from("no JSON"))).toBeUndefined();
  });
});
