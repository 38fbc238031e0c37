import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLog } from "../../server/common/log";
import type { MinionCredentials } from "../../server/minion/minionCredentials";
import type { Caller } from "../../server/minion/minionModule";
import { MethodError } from "../../server/minion/methodError";
import { originatorCommand } from "../../server/minion/originatorCommand";
import { Originators, type KnownOriginator } from "../../server/minion/originators";
import { SignedCalls } from "../../server/minion/signedCall";
import { keyFingerprint } from "../../server/pki/certificates/identity";
import {
  signCall,
  UNKNOWN_ORIGINATOR,
  type DelegatedCall,
} from "../../server/pki/documents/delegatedCall";
import { signSuccession } from "../../server/pki/documents/keySuccession";
import { formerKeys, verifyReceipt } from "../../server/pki/documents/resultReceipt";
import { TargetTree, type TreeTarget } from "../../server/pki/documents/targetTree";
import type { ResultReceipt, TargetProof } from "../../server/protocol/delegation";
import { digestOfValue } from "../../server/wire/valueDigest";

const TOP = generateKeyPairSync("ec", { namedCurve: "P-256" });
const OTHER = generateKeyPairSync("ec", { namedCurve: "P-256" });
const OWN = generateKeyPairSync("ec", { namedCurve: "P-256" });
const OWN_PRINT = keyFingerprint(OWN.publicKey);
const NOW = Date.parse("2026-11-22T12:00:00Z");
const MINUTE = 60_000;
const MID: Caller = {
  role: "overlord",
  name: "mid1",
  keyFingerprint: "cd".repeat(32),
  address: "192.0.2.2",
};

let home: string;
let originators: Originators;
let changes: [string, KnownOriginator][];
let nowMs: number;

const credentials: MinionCredentials = {
  key: OWN.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  certificate: "",
  ca: "",
  name: "leaf1",
};

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "funcd-signed-"));
  changes = [];
  nowMs = NOW;
  originators = openOriginators();
});

afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

function openOriginators(): Originators {
  return new Originators(join(home, "pki"), silentLog, (change, of) => changes.push([change, of]));
}

function publicText(key: KeyObject): string {
  return key.export({ type: "spki", format: "der" }).toString("base64");
}

interface Brought {
  call?: Partial<DelegatedCall>;
  key?: KeyObject;
  target?: Partial<TreeTarget & { proof: TargetProof }>;
  isAsync?: boolean;
  /** What a hop does to it. */
  edit?: (document: { call: { text: string }; target: object }) => unknown;
}

const TARGETS: TreeTarget[] = [
  { name: "leaf0", callId: "call 0" },
  { name: "leaf1", callId: "call 1", identity: OWN_PRINT },
  { name: "leaf2", callId: "call 2" },
];

function open({ call, key = TOP.privateKey, target, isAsync = false, edit }: Brought = {}) {
  const tree = new TargetTree(TARGETS);
  const signed = signCall(
    {
      originator: "top",
      job: "job",
      method: "command.run",
      args: ["id", { $base64: "AAE=" }],
      async: isAsync,
      issuedAtMs: NOW - MINUTE,
      validUntilMs: NOW + MINUTE,
      root: tree.root,
      count: tree.count,
      ...call,
    },
    key,
  );
  const document = {
    call: signed,
    target: { ...TARGETS[1], proof: tree.proofOf(1), ...target },
  };
  const sent = edit ? edit(document) : document;
  const calls = new SignedCalls({ present: () => credentials, originators }, () => nowMs);
  return calls.open([typeof sent === "string" ? sent : JSON.stringify(sent)], isAsync, MID);
}

function refusal(brought: Brought): [string, string] {
  try {
    open(brought);
  } catch (error) {
    if (error instanceof MethodError) return [error.type.split(".").at(-1) ?? "", error.message];
    throw error;
  }
  return ["none", ""];
}

const DENIED = "AccessToMethodDenied";

describe("a minion with a renewed key", () => {
  const former = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const formerPrint = keyFingerprint(former.publicKey);
  const successions = [signSuccession(former.privateKey, OWN.publicKey)];

  beforeEach(async () => {
    await originators.add("top", publicText(TOP.publicKey), "mid1");
  });

  function opened(identity: string, renewed: MinionCredentials) {
    const tree = new TargetTree([{ name: "leaf1", callId: "call 1", identity }]);
    const call = signCall(
      {
        originator: "top",
        job: "job",
        method: "test.ping",
        args: [],
        async: false,
        issuedAtMs: NOW,
        validUntilMs: NOW + MINUTE,
        root: tree.root,
        count: tree.count,
      },
      TOP.privateKey,
    );
    const target = { name: "leaf1", callId: "call 1", identity, proof: tree.proofOf(0) };
    const calls = new SignedCalls({ present: () => renewed, originators }, () => nowMs);
    return { calls, method: calls.open([JSON.stringify({ call, target })], false, MID).method };
  }

  it("takes calls for the former one, and its receipts lead from there", () => {
    const { calls, method } = opened(formerPrint, { ...credentials, successions });
    expect(method).toBe("test.ping");
    const [, text] = calls.answer("call 1", 1);
    const receipt = JSON.parse(text as string) as ResultReceipt;
    expect(formerKeys(receipt)).toEqual([formerPrint]);
    const claim = { callId: "call 1", digest: digestOfValue(1) };
    expect(verifyReceipt(receipt, claim)).toBe(OWN_PRINT);
  });

  it("refuses those for any other", () => {
    const other = keyFingerprint(OTHER.publicKey);
    expect(() => opened(other, { ...credentials, successions })).toThrow(/has another one/);
    expect(() => opened(formerPrint, credentials)).toThrow(/has another one/);
  });
});

describe("a signed call", () => {
  beforeEach(async () => {
    await originators.add("top", publicText(TOP.publicKey), "mid1");
  });

  it("is taken from its inside, in the originator's name, with who brought it", () => {
    const { keyFingerprint: key, address, ...mid } = MID;
    expect(open()).toEqual({
      method: "command.run",
      params: ["id", new Uint8Array([0, 1])],
      caller: {
        role: "originator",
        name: "top",
        keyFingerprint: keyFingerprint(TOP.publicKey),
        address,
        via: { ...mid, keyFingerprint: key },
      },
      callId: "call 1",
      replayableUntilMs: NOW + 6 * MINUTE,
    });
    expect(open({ isAsync: true }).method).toBe("async.command.run");
  });

  it("is refused where a hop has changed method, arguments, targets or call id", () => {
    for (const [from, to] of [
      ["command.run", "command.ran"],
      ['"id"', '"ls"'],
      ["top", "tip"],
      ['"async":false', '"async":true'],
    ] as const) {
      const edit: Brought["edit"] = ({ call, target }) => ({
        call: { ...call, text: call.text.replace(from, to) },
        target,
      });
      expect(refusal({ edit })[0]).toBe(DENIED);
    }
    expect(refusal({ target: { callId: "call 2" } })).toEqual([
      DENIED,
      "top has not signed this call for leaf1 with this call id",
    ]);
    expect(refusal({ target: { identity: undefined } })[0]).toBe(DENIED);
    expect(refusal({ target: { proof: new TargetTree(TARGETS).proofOf(2) } })[0]).toBe(DENIED);
    expect(refusal({ call: { count: 2 } })[0]).toBe(DENIED);
    // signed by whoever brings it
    expect(refusal({ key: OTHER.privateKey })[1]).toContain("known here by another key");
  });

  it("is refused by all but the minion that it is for", () => {
    const tree = new TargetTree(TARGETS);
    const [type, message] = refusal({ target: { ...TARGETS[0], proof: tree.proofOf(0) } });
    expect([type, message]).toEqual([DENIED, "this call is for leaf0, and this minion is leaf1"]);
    // another leaf1, which the signature is for as well
    const twin = [{ name: "leaf1", callId: "call 1", identity: "ee".repeat(32) }];
    const twins = new TargetTree(twin);
    const wrong = refusal({
      call: { root: twins.root, count: 1 },
      target: { ...twin[0], proof: twins.proofOf(0) },
    });
    expect(wrong[1]).toContain("this minion has another one");
  });

  it("is taken within its time, and five minutes of difference between clocks", () => {
    for (const [minutes, taken] of [
      [-5.9, true],
      [-6.1, false],
      [5.9, true],
      [6.1, false],
    ] as const) {
      nowMs = NOW + minutes * MINUTE;
      const [type, message] = refusal({});
      expect([minutes, type]).toEqual([minutes, taken ? "none" : DENIED]);
      if (!taken) expect(message).toContain("clocks may differ by 5 minutes");
    }
    nowMs = NOW;
    const longer = { validUntilMs: NOW + 40 * 24 * 60 * MINUTE };
    expect(refusal({ call: longer })[1]).toContain("too long a time");
  });

  it("is refused where it is called otherwise than signed, or asks for what it is itself", () => {
    expect(refusal({ isAsync: true, call: { async: false } })[1]).toContain("not async");
    expect(refusal({ call: { method: "delegation.execute" } })[0]).toBe(DENIED);
    expect(refusal({ call: { method: "async.command.run" } })[0]).toBe(DENIED);
  });

  it("that is malformed says so", () => {
    for (const edit of [() => "{", () => "[]", () => ({ call: 1 }), () => "x".repeat(100)]) {
      expect(refusal({ edit })[0]).toBe("ValueError");
    }
  });

  it("is answered with a receipt of this minion's key", () => {
    const calls = new SignedCalls({ present: () => credentials, originators });
    const [value, text] = calls.answer("call 1", [0, "done", ""]);
    const receipt = JSON.parse(typeof text === "string" ? text : "") as ResultReceipt;
    const digest = digestOfValue([0, "done", ""]);
    expect(value).toEqual([0, "done", ""]);
    expect(verifyReceipt(receipt, { callId: "call 1", digest })).toBe(OWN_PRINT);
  });
});

describe("the originators that a minion knows", () => {
  it("are told apart from those that are not known, by an error of its own", () => {
    const [type] = refusal({});
    expect(`func.minion.codes.${type}`).toBe(UNKNOWN_ORIGINATOR);
  });

  it("keep their keys over a restart, until somebody on the host forgets them", async () => {
    const key = publicText(TOP.publicKey);
    const print = keyFingerprint(TOP.publicKey);
    expect(await originators.add("top", key, "mid1")).toBe(print);
    expect(await originators.add("top", key, "mid2")).toBe(print);
    originators = openOriginators();
    expect(originators.fingerprints()).toEqual([print]);
    const other = publicText(OTHER.publicKey);
    await expect(originators.add("top", other, "mid2")).rejects.toThrow(
      /known here by another key .* funcd originator forget top/,
    );
    const lines: string[] = [];
    await originatorCommand(home, { json: false }, (line) => lines.push(line));
    expect(lines.join("")).toMatch(`top  key ${print}  since `);
    await originatorCommand(home, { json: false, forget: "top" }, () => undefined);
    expect(originators.fingerprints()).toEqual([]);
    await originators.add("top", other, "mid2");
    expect(originators.fingerprints()).toEqual([keyFingerprint(OTHER.publicKey)]);
    expect(changes.map(([change, { by }]) => `${change} ${by}`)).toEqual([
      ...["recorded mid1", "forgotten mid1", "recorded mid2"],
    ]);
    const unknown = originatorCommand(home, { json: false, forget: "else" }, () => undefined);
    await expect(unknown).rejects.toThrow("no originator else is known");
  });

  it("are taken with a name and an EC key only", async () => {
    const { publicKey } = generateKeyPairSync("ed25519");
    const key = publicText(TOP.publicKey);
    await expect(originators.add("no name", key, "mid1")).rejects.toThrow("no name of an overlord");
    await expect(originators.add("top", publicText(publicKey), "mid1")).rejects.toThrow("EC key");
    await expect(originators.add("top", "AAAA", "mid1")).rejects.toThrow("EC key");
    expect(originators.fingerprints()).toEqual([]);
  });

  it("let nobody in while their file is damaged, and no other key take a name", async () => {
    await originators.add("top", publicText(TOP.publicKey), "mid1");
    const file = join(home, "pki", "originators.json");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace('"name": "top"', '"name": "tip"'));
    expect(refusal({})[1]).toContain("cannot be read");
    const other = publicText(OTHER.publicKey);
    await expect(originators.add("top", other, "mid1")).rejects.toThrow("cannot be read");
    await writeFile(file, text);
    expect(refusal({})[0]).toBe("none");
  });
});
