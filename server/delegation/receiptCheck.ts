import { verifyReceipt } from "../pki/documents/resultReceipt";
import type { DelegatedResult } from "../protocol/delegation";
import type { CallError, MinionCallState } from "../protocol/jobs";
import type { JsonValue } from "../protocol/value";
import { digestOfError, digestOfJson } from "../wire/valueDigest";

/** A whole value in a file is parsed to be checked: larger ones are not. */
export const MAX_CHECKED_JSON_BYTES = 64 * 1024 * 1024;

/** States that are a host's own answer, so that it can sign them. Of all others a hop's word is taken. */
const ANSWERED: ReadonlySet<MinionCallState> = new Set<MinionCallState>(["succeeded", "failed"]);

/** A host that a result is told about. */
export interface CheckedHost {
  /** As the job has it. */
  name: string;
  /** The sub-overlord that tells. */
  hop: string;
  /** Of the call that the originator signed for it. */
  callId: string;
  /** hex SHA-256 of its key, where it is known. */
  identity?: string;
  /** The host at that key cannot sign: it has a funcd of the original. */
  isOriginal?: boolean;
}

/** What a check needs beside the result. */
export interface CheckParts {
  /** Of a value that is an output of the kind "json": the digest of what is in it (`digestOfJsonFile`). */
  fileDigest?: string;
  /** A host whose key was not known has signed with this one, hex SHA-256: it is to be recorded. */
  onFirstSight: (keyFingerprint: string) => void;
}

/**
 * A result as a hop has told it, with `signed`. Where the host's key is known, an answer that this key has not signed
 * as an answer to this very call becomes "failed", and names the hop: it may be invented, altered, or another host's.
 */
export function checkResult(
  result: DelegatedResult,
  host: CheckedHost,
  parts: CheckParts,
): DelegatedResult {
  if (!ANSWERED.has(result.state)) return withoutReceipt(result);
  const { receipt } = result;
  if (!receipt) {
    if (host.identity === undefined || host.isOriginal) return { ...result, signed: "no" };
    return refused(result, host, `without the signature of ${host.name}`);
  }
  const digest = digestOfResult(result, parts);
  const signer =
    digest === undefined ? undefined : verifyReceipt(receipt, { callId: host.callId, digest });
  if (signer === undefined) {
    return refused(result, host, `that ${host.name} has not signed as it stands`);
  }
  if (host.identity === undefined) {
    parts.onFirstSight(signer);
    return { ...result, signed: "first" };
  }
  if (signer === host.identity) return { ...result, signed: "yes" };
  const step = `If ${host.name} was set up anew, or its certificate renewed, build the delegation map again; otherwise find out what ${host.hop} does.`;
  return refused(result, host, "that another key has signed", step);
}

/**
 * The digest of a whole value that is kept as a file of JSON. Undefined where it is no value, or has more than
 * `MAX_CHECKED_JSON_BYTES`.
 */
export function digestOfJsonFile(content: Buffer): string | undefined {
  if (content.length > MAX_CHECKED_JSON_BYTES) return undefined;
  try {
    return digestOfJson(JSON.parse(content.toString("utf8")) as JsonValue);
  } catch {
    return undefined;
  }
}

function digestOfResult(
  { state, value, error }: DelegatedResult,
  { fileDigest }: CheckParts,
): string | undefined {
  if (state === "failed") return error && digestOfError(error);
  return fileDigest ?? (value === undefined ? undefined : digestOfJson(value));
}

/** Nobody can have signed it. */
function withoutReceipt(result: DelegatedResult): DelegatedResult {
  const { receipt, ...rest } = result;
  return receipt === undefined ? result : rest;
}

function refused(
  { callId, minion, minionJobId, attempt, startedAtMs, durationMs, via }: DelegatedResult,
  { name, hop }: CheckedHost,
  what: string,
  nextStep = `Look at ${name} itself before you call it again, and find out what ${hop} does.`,
): DelegatedResult {
  const error: CallError = {
    type: "func.wrong-identity",
    message: `${hop} has told a result of ${name} ${what}: it is not shown, since it may be invented or altered.`,
    trace: "",
    nextStep,
  };
  const known = { minionJobId, attempt, startedAtMs, durationMs, via };
  const kept = Object.entries(known).filter(([, value]) => value !== undefined);
  const rest = Object.fromEntries(kept) as Partial<typeof known>;
  return { ...rest, callId, minion, state: "failed", error, mayHaveRun: true, signed: "no" };
}
