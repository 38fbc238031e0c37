import {
  outcomeOfValue,
  type MinionCaller,
  type MinionCallOptions,
  type MinionCallOutcome,
} from "../../calls/minionCaller";
import { EXECUTE_METHOD, UNKNOWN_ORIGINATOR } from "../../pki/documents/delegatedCall";
import { readSuccessions } from "../../pki/documents/keySuccession";
import type { ResultReceipt, SignedCall } from "../../protocol/delegation";
import type { MinionRecord } from "../../protocol/minions";
import type { XmlRpcValue } from "../../wire/value";
import type { AboveTarget } from "../store/storeTypes";
import type { JobRun } from "./jobRun";
import { resultOf, type Ending } from "./outcome";

/** Errors of a minion that knows nothing of signed calls. */
const LACKING = ["ModuleNotFoundException", "InvalidMethodException"];
const MAX_RECEIPT_LENGTH = 16_384;

/** How a call ended, and what the minion itself has signed of it. */
interface AskedOutcome {
  outcome: MinionCallOutcome;
  receipt?: ResultReceipt;
}

/**
 * Calls the run's method, or starts it. What an overlord above has asked for goes on as it was signed, so that the
 * minion sees who asks; one that cannot read that (of the original, or older) is called in this overlord's own name.
 * Never throws.
 */
export async function callAsAsked(
  run: JobRun,
  minion: MinionRecord,
  caller: MinionCaller,
  options: MinionCallOptions,
): Promise<AskedOutcome> {
  const prefix = run.record.async ? "async." : "";
  const plainly = async (): Promise<AskedOutcome> => ({
    outcome: await caller.call(minion, prefix + run.method, run.params, options),
  });
  const { above } = run;
  const target = above?.targets[minion.name];
  if (!above?.call || !target || (await caller.isOriginal(minion))) return plainly();
  const { call, originator } = above;
  const document = executeDocument(call, minion.name, target);
  /** Learnt once there is a connection. */
  const seen = { original: false };
  const sign = async (): Promise<MinionCallOutcome> => {
    const stop = new AbortController();
    return caller.call(minion, prefix + EXECUTE_METHOD, [document], {
      ...options,
      signal: AbortSignal.any([options.signal, stop.signal]),
      beforeSending: async () => {
        seen.original = await caller.isOriginal(minion);
        if (seen.original) stop.abort();
        else await options.beforeSending?.();
      },
    });
  };
  let outcome = await sign();
  if (hasFailedBy(outcome, [UNKNOWN_ORIGINATOR])) {
    const told = await tellOriginator(minion, caller, originator, call, options);
    if (told.state !== "succeeded") return { outcome: told };
    outcome = await sign();
  }
  if (seen.original || hasFailedBy(outcome, LACKING)) return plainly();
  if (outcome.state !== "succeeded") return { outcome };
  const signed = signedResult(outcome.value, target.callId);
  return signed ? { outcome: outcomeOfValue(signed.value), receipt: signed.receipt } : { outcome };
}

/** A minion's final result as the job keeps it. */
export function askedResultOf({ outcome, receipt }: AskedOutcome, minion: MinionRecord): Ending {
  return { ...resultOf(outcome, minion), ...(receipt && { receipt }) };
}

/**
 * What a minion's job ended with; `callId` where an overlord above has asked for it, so that it may be signed.
 */
export function endedJob(value: XmlRpcValue, callId: string | undefined): AskedOutcome {
  const signed = callId === undefined ? undefined : signedResult(value, callId);
  return signed
    ? { outcome: outcomeOfValue(signed.value), receipt: signed.receipt }
    : { outcome: outcomeOfValue(value) };
}

/** The call id under which the minion may sign its result; undefined where no overlord above has asked. */
export function signedCallId({ above }: JobRun, { name }: MinionRecord): string | undefined {
  return above?.targets[name]?.callId;
}

/** Value and receipt out of the pair that answers a signed call; undefined where it is none. */
function signedResult(
  value: XmlRpcValue,
  callId: string,
): { value: XmlRpcValue; receipt: ResultReceipt } | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [inner = null, text] = value;
  if (typeof text !== "string" || text.length > MAX_RECEIPT_LENGTH) return undefined;
  const receipt = receiptIn(text);
  return receipt?.callId === callId ? { value: inner, receipt } : undefined;
}

function receiptIn(text: string): ResultReceipt | undefined {
  try {
    const document: unknown = JSON.parse(text);
    if (typeof document !== "object" || document === null) return undefined;
    const { callId, digest, publicKey, signature } = document as Record<string, unknown>;
    if (typeof callId !== "string" || typeof digest !== "string") return undefined;
    if (typeof publicKey !== "string" || typeof signature !== "string") return undefined;
    const succession = "succession" in document ? readSuccessions(document.succession) : [];
    const receipt = { callId, digest, publicKey, signature };
    return succession.length > 0 ? { ...receipt, succession } : receipt;
  } catch {
    return undefined;
  }
}

function executeDocument(call: SignedCall, name: string, target: AboveTarget): string {
  const { callId, identity, proof } = target;
  return JSON.stringify({ call, target: { name, callId, identity, proof } });
}

/** A name that the minion knows by another key stays as it is: somebody has to look on that host. */
function tellOriginator(
  minion: MinionRecord,
  caller: MinionCaller,
  originator: string,
  { publicKey }: SignedCall,
  { timeoutMs, signal }: MinionCallOptions,
): Promise<MinionCallOutcome> {
  const options = { timeoutMs, signal };
  return caller.call(minion, "trust.add_originator", [originator, publicKey], options);
}

function hasFailedBy(outcome: MinionCallOutcome, types: readonly string[]): boolean {
  if (outcome.state === "succeeded" || !outcome.answered) return false;
  const { type } = outcome.error;
  return types.some((one) => type.endsWith(one));
}
