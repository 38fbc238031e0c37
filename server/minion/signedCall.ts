import { createPrivateKey, type KeyObject } from "node:crypto";
import * as v from "valibot";
import { messageOf } from "../common/errors";
import { keyFingerprint } from "../pki/certificates/identity";
import {
  CLOCK_LEEWAY_MS,
  EXECUTE_METHOD,
  readSignedCall,
  type ReadCall,
} from "../pki/documents/delegatedCall";
import { formerFingerprints } from "../pki/documents/keySuccession";
import { signResult } from "../pki/documents/resultReceipt";
import { isTargetOf } from "../pki/documents/targetTree";
import { fromJson } from "../wire/jsonValue";
import { digestOfValue } from "../wire/valueDigest";
import type { XmlRpcValue } from "../wire/value";
import { ACCESS_DENIED, MethodError, VALUE_ERROR } from "./methodError";
import type { MinionCredentials } from "./minionCredentials";
import type { Caller } from "./minionModule";
import type { Originators } from "./originators";

const MAX_TEXT_LENGTH = 80_000_000;
const MAX_CALL_ID_LENGTH = 512;
/** Longer than any time that jobs are delivered for; call ids are remembered for as long. */
const MAX_WINDOW_MS = 31 * 24 * 60 * 60_000;
const ASYNC_PREFIX = "async.";

const text = (most: number) => v.pipe(v.string(), v.minLength(1), v.maxLength(most));

const Document = v.object({
  call: v.object({
    text: text(MAX_TEXT_LENGTH),
    signature: text(4_000),
    publicKey: text(4_000),
  }),
  target: v.object({
    name: text(300),
    callId: text(MAX_CALL_ID_LENGTH),
    identity: v.optional(text(64)),
    proof: v.object({
      index: v.number(),
      count: v.number(),
      hashes: v.pipe(v.array(text(64)), v.maxLength(64)),
    }),
  }),
});

/** What is dispatched in the place of `delegation.execute`. */
export interface OpenedCall {
  method: string;
  params: XmlRpcValue[];
  caller: Caller;
  callId: string;
  /** Point in time until which the call could come again. */
  replayableUntilMs: number;
}

interface SignedCallParts {
  /** What this minion serves with at this moment. */
  present: () => MinionCredentials | undefined;
  originators: Originators;
}

interface OwnKey {
  pem: string;
  key: KeyObject;
  fingerprint: string;
  /** Of the keys before it, which originators may still know this minion by. */
  former: readonly string[];
}

/** Opens the signed calls that others bring, and signs what they come to. */
export class SignedCalls {
  #key: OwnKey | undefined;

  constructor(
    private readonly parts: SignedCallParts,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * The call inside the parameters of a `delegation.execute` that `via` brought. Throws MethodError where it is not
   * for this minion, not signed by an originator that is known here, or not to be taken at this time.
   */
  open(params: readonly XmlRpcValue[], isAsync: boolean, via: Caller): OpenedCall {
    const { call, target } = documentIn(params);
    const read = signedCall(call);
    const { originator, async: isSignedAsync } = read;
    this.#checkTarget(target, read);
    this.#checkTime(read);
    this.parts.originators.check(originator, read.keyFingerprint);
    if (isSignedAsync !== isAsync) {
      throw denied(`${originator} has signed this call to be ${isSignedAsync ? "" : "not "}async`);
    }
    const method = checkedMethod(read.method);
    const { role, name, keyFingerprint: key, address } = via;
    return {
      method: isAsync ? ASYNC_PREFIX + method : method,
      params: read.args.map(fromJson),
      caller: {
        role: "originator",
        name: originator,
        keyFingerprint: read.keyFingerprint,
        address,
        via: { role, name, keyFingerprint: key },
      },
      callId: target.callId,
      replayableUntilMs: read.validUntilMs + CLOCK_LEEWAY_MS,
    };
  }

  /** The answer to a signed call: the value, and this minion's word that it is its result of that call. */
  answer(callId: string, value: XmlRpcValue): XmlRpcValue[] {
    const { key } = this.#own();
    const succession = this.parts.present()?.successions;
    const receipt = signResult({ callId, digest: digestOfValue(value) }, key, succession);
    return [value, JSON.stringify(receipt)];
  }

  #checkTarget({ name, callId, identity, proof }: Target, call: ReadCall): void {
    const { present } = this.parts;
    const own = present()?.name;
    if (name !== own) throw denied(`this call is for ${name}, and this minion is ${own ?? "none"}`);
    if (identity !== undefined && !this.#isOwn(identity)) {
      throw denied(
        `this call is for the ${name} with the key ${identity}, and this minion has another one: if the host was set up anew, the delegation map has to be built again`,
      );
    }
    if (isTargetOf(call, { name, callId, ...(identity !== undefined && { identity }) }, proof)) {
      return;
    }
    throw denied(`${call.originator} has not signed this call for ${name} with this call id`);
  }

  #checkTime({ originator, issuedAtMs, validUntilMs }: ReadCall): void {
    const nowMs = this.now();
    if (validUntilMs - issuedAtMs > MAX_WINDOW_MS || validUntilMs < issuedAtMs) {
      throw denied(`${originator} has signed this call for too long a time`);
    }
    if (nowMs >= issuedAtMs - CLOCK_LEEWAY_MS && nowMs <= validUntilMs + CLOCK_LEEWAY_MS) return;
    const [from, until, here] = [issuedAtMs, validUntilMs, nowMs].map((ms) =>
      new Date(ms).toISOString(),
    );
    throw denied(
      `${originator} has signed this call for the time from ${from} to ${until}, and here it is ${here}: clocks may differ by 5 minutes; compare them, and call again`,
    );
  }

  #isOwn(identity: string): boolean {
    const { fingerprint, former } = this.#own();
    return identity === fingerprint || former.includes(identity);
  }

  #own(): OwnKey {
    const present = this.parts.present();
    if (!present) throw denied("this minion is not enrolled");
    const { key: pem, successions = [] } = present;
    if (this.#key?.pem !== pem) {
      const key = createPrivateKey(pem);
      const former = formerFingerprints(successions);
      this.#key = { pem, key, fingerprint: keyFingerprint(key), former };
    }
    return this.#key;
  }
}

type Target = v.InferOutput<typeof Document>["target"];

function documentIn(params: readonly XmlRpcValue[]): v.InferOutput<typeof Document> {
  const [document, ...more] = params;
  try {
    if (typeof document !== "string" || more.length > 0) throw new Error("it is one text");
    return v.parse(Document, JSON.parse(document));
  } catch (error) {
    throw new MethodError(
      VALUE_ERROR,
      `${EXECUTE_METHOD}: the signed call is malformed (${messageOf(error).slice(0, 200)})`,
    );
  }
}

function signedCall(call: Parameters<typeof readSignedCall>[0]): ReadCall {
  try {
    return readSignedCall(call);
  } catch (error) {
    throw denied(messageOf(error));
  }
}

function checkedMethod(method: string): string {
  if (method !== EXECUTE_METHOD && !method.startsWith(ASYNC_PREFIX)) return method;
  throw denied(`a signed call cannot ask for ${method.slice(0, 100)}`);
}

function denied(message: string): MethodError {
  return new MethodError(ACCESS_DENIED, message);
}
