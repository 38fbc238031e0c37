import { createHash, generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLog, silentLog } from "../../server/common/log";
import { MapIdentities } from "../../server/delegation/mapIdentities";
import { ResultTrust } from "../../server/delegation/resultTrust";
import type { Ending } from "../../server/jobs/engine/outcome";
import { keyFingerprint } from "../../server/pki/certificates/identity";
import { signSuccession } from "../../server/pki/documents/keySuccession";
import { signResult } from "../../server/pki/documents/resultReceipt";
import { remoteError } from "../../server/wire/remoteError";
import { digestOfValue } from "../../server/wire/valueDigest";
import type { XmlRpcValue } from "../../server/wire/value";

const LEAF = generateKeyPairSync("ec", { namedCurve: "P-256" });
const OTHER = generateKeyPairSync("ec", { namedCurve: "P-256" });
const IDENTITY = keyFingerprint(LEAF.publicKey);
const PATH = ["mid1", "leaf1"];
const VALUE = [0, "done", ""];

let folder: string;
let identities: MapIdentities;
let file: Buffer;
let trust: ResultTrust;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "trust-"));
  identities = new MapIdentities(join(folder, "map.identities.yaml"));
  file = Buffer.alloc(0);
  const outputs = {
    read: (sha256: string, offset: number, length: number) =>
      Promise.resolve({
        bytes: file.subarray(offset, offset + length),
        sha256,
        total: file.length,
      }),
  };
  trust = new ResultTrust(identities, outputs, silentLog);
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

function receiptOf(value: XmlRpcValue, key: KeyObject = LEAF.privateKey, callId = "call 1") {
  return signResult({ callId, digest: digestOfValue(value) }, key);
}

function judge(ending: Partial<Ending> = {}) {
  const minion = { name: "leaf1", path: PATH, identity: IDENTITY };
  const told = { state: "succeeded", value: VALUE, receipt: receiptOf(VALUE), ...ending } as const;
  return trust.judge({ minion, callId: "call 1", hop: "mid1", ending: told });
}

async function refusalOf(ending: Partial<Ending>): Promise<string | undefined> {
  const { state, value, error, signed, mayHaveRun } = await judge(ending);
  expect([state, value, signed, mayHaveRun]).toEqual(["failed", undefined, "no", true]);
  return error?.message;
}

describe("a result that a hop tells", () => {
  it("counts as the host's own where its key has signed it", async () => {
    expect(await judge()).toMatchObject({ state: "succeeded", value: VALUE, signed: "yes" });
  });

  it("of an exception counts so as well, also where its message was cut", async () => {
    const message = "m".repeat(3_000);
    const receipt = receiptOf(remoteError("exceptions.ValueError", message));
    const cut = `${message.slice(0, 600)}... (3000 characters in all)`;
    const error = { type: "exceptions.ValueError", message: cut, trace: "" };
    const failed = { state: "failed", error, receipt, value: undefined } as const;
    expect((await judge(failed)).signed).toBe("yes");
    await refusalOf({ ...failed, error: { ...error, type: "exceptions.OSError" } });
  });

  it("of a host that nobody knew is taken, and its key is known from then on", async () => {
    const minion = { name: "leaf1", path: PATH };
    const told = { minion, callId: "call 1", hop: "mid1" };
    const ending: Ending = { state: "succeeded", value: VALUE, receipt: receiptOf(VALUE) };
    expect((await trust.judge({ ...told, ending })).signed).toBe("first");
    expect((await trust.judge({ ...told, ending })).signed).toBe("yes");
    const forged = { ...ending, receipt: receiptOf(VALUE, OTHER.privateKey) };
    expect((await trust.judge({ ...told, ending: forged })).state).toBe("failed");
  });

  it("without a signature is taken of hosts only that nobody knows, or that cannot sign", async () => {
    expect(await refusalOf({ receipt: undefined })).toContain("mid1 gave a result of leaf1");
    await identities.load();
    identities.saw(PATH, IDENTITY, false);
    expect((await judge({ receipt: undefined })).signed).toBe("no");
  });

  it("is found out where it is altered, invented, relabelled, or another host's", async () => {
    await refusalOf({ value: [0, "other", ""] });
    const error = { type: "exceptions.ValueError", message: "no", trace: "" };
    await refusalOf({ state: "failed", error, value: undefined });
    const earlier = receiptOf(VALUE, LEAF.privateKey, "call 0");
    await refusalOf({ receipt: earlier });
    await refusalOf({ receipt: { ...earlier, callId: "call 1" } });
    const forged = receiptOf(VALUE, OTHER.privateKey);
    expect(await refusalOf({ receipt: forged })).toContain("another key has signed");
  });

  it("by a new key counts where the known one has named it, and that one is known from then on", async () => {
    await identities.load();
    const other = ["mid2", "leaf1"];
    for (const path of [PATH, other]) identities.saw(path, IDENTITY, true);
    const notes: string[] = [];
    const log = createLog((line) => notes.push(line));
    trust = new ResultTrust(identities, { read: () => Promise.reject(new Error("none")) }, log);
    const next = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const claim = { callId: "call 1", digest: digestOfValue(VALUE) };
    const chain = [signSuccession(LEAF.privateKey, next.publicKey)];
    const receipt = signResult(claim, next.privateKey, chain);
    // a call that still names the former key may end several times over
    for (const signed of ["yes", "yes"]) expect(await judge({ receipt })).toMatchObject({ signed });
    expect(notes).toHaveLength(1);
    const reread = new MapIdentities(join(folder, "map.identities.yaml"));
    await reread.load();
    for (const path of [PATH, other])
      expect(reread.keyOf(path)).toBe(keyFingerprint(next.publicKey));

    const third = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const longer = [...chain, signSuccession(next.privateKey, third.publicKey)];
    const last = signResult(claim, third.privateKey, longer);
    expect((await judge({ receipt: last })).signed).toBe("yes");
    expect(identities.keyOf(PATH)).toBe(keyFingerprint(third.publicKey));
    // what is known never goes back
    expect((await judge({ receipt })).signed).toBe("yes");
    expect(identities.keyOf(PATH)).toBe(keyFingerprint(third.publicKey));
  });

  it("by a new key is refused where the known one has not named it", async () => {
    const claim = { callId: "call 1", digest: digestOfValue(VALUE) };
    const of = (...chain: ReturnType<typeof signSuccession>[]) =>
      refusalOf({ receipt: signResult(claim, OTHER.privateKey, chain) });
    const own = signSuccession(LEAF.privateKey, generateKeyPairSync("ed25519").publicKey);
    const forged = signSuccession(OTHER.privateKey, OTHER.publicKey);
    for (const chain of [[own], [{ ...own, signature: forged.signature }], [forged], []]) {
      expect(await of(...chain)).toContain("another key has signed");
    }
    await identities.load();
    expect(identities.keyOf(PATH)).toBeUndefined();
  });

  it("is taken as told in states that no host can sign", async () => {
    const error = { type: "socket.error", message: "leaf1 is away", trace: "" };
    for (const state of ["unreachable", "timed-out", "lost", "cancelled", "denied"] as const) {
      expect(await judge({ state, error, value: undefined })).toMatchObject({ state, error });
    }
  });

  it("is taken as told where the host's answer was lost on the way to its overlord", async () => {
    const error = { type: "xmlrpclib.ProtocolError", message: "leaf1 closed it", trace: "" };
    const lost = { state: "failed", error, mayHaveRun: true, value: undefined } as const;
    expect(await judge({ ...lost, receipt: undefined })).toMatchObject({ state: "failed", error });
    await refusalOf({ ...lost, mayHaveRun: false, receipt: undefined });
  });

  it("in a file is checked by what the file holds", async () => {
    const value = ["x".repeat(100), { a: [1, 2.5, null] }];
    file = Buffer.from(JSON.stringify(value));
    const sha256 = createHash("sha256").update(file).digest("hex");
    const output = { $output: { sha256, bytes: file.length, kind: "json", head: "" } };
    const told = { value: output, receipt: receiptOf(value) };
    expect((await judge(told)).signed).toBe("yes");
    file = Buffer.from(JSON.stringify(value).replace("2.5", "3.5"));
    await refusalOf(told);
  });
});
