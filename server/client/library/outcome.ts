import type { MinionResult } from "../../protocol/jobs";
import { expandJson, type OutputReader } from "../outputs";
import type { FinalState, MinionOutcome, Result } from "./overlordTypes";
import { remoteErrorOf } from "./remoteError";
import { fromJson, type Value } from "./values";

/** A final result as a value or an error. Throws as `expandJson` does. */
export async function resultOf(
  reader: OutputReader,
  result: MinionResult,
  signal?: AbortSignal,
): Promise<Result> {
  return result.state === "succeeded" ? valueOf(reader, result, signal) : remoteErrorOf(result);
}

/** A final result with all that is known of it. Throws as `expandJson` does. */
export async function outcomeOf(
  reader: OutputReader,
  result: MinionResult,
  signal?: AbortSignal,
): Promise<MinionOutcome> {
  const { minion, attempt = 1, startedAtMs, durationMs, via, failedHop, signed } = result;
  const told = {
    minion,
    attempt,
    ...(startedAtMs !== undefined && { startedAtMs }),
    ...(durationMs !== undefined && { durationMs }),
    ...(via && { via }),
    ...(failedHop !== undefined && { failedHop }),
    ...(signed && { signed }),
  };
  // only final results are reported
  const state = result.state as FinalState;
  return state === "succeeded"
    ? { ...told, state, value: await valueOf(reader, result, signal) }
    : { ...told, state, error: remoteErrorOf(result) };
}

async function valueOf(
  reader: OutputReader,
  { value }: MinionResult,
  signal: AbortSignal | undefined,
): Promise<Value> {
  return fromJson(await expandJson(reader, value ?? null, signal ? { signal } : {}), reader);
}
