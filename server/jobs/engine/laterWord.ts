import type { LaterWord, MinionCallState } from "../../protocol/jobs";
import type { JsonValue } from "../../protocol/value";
import { excerptOf, exitStatusOf, oneLine } from "../excerpt";
import type { Ending } from "./outcome";

/** Of the value's JSON: words are kept in memory beside the results. */
const MAX_VALUE_BYTES = 4_096;

/** The word of a long way still fits where words are read. */
const MAX_RELAYED_LENGTH = 1_000;

const HAD: Partial<Record<MinionCallState, string>> = {
  succeeded: "had succeeded",
  failed: "had failed",
  denied: "was denied",
  lost: "was lost",
  skipped: "was not called",
  expired: "was not called",
  unreachable: "was not reached",
  "timed-out": "had timed out",
};

/** What the word is made of. */
interface Told {
  /** Who tells it: the minion itself, or the hop to it. */
  teller: string;
  minion: string;
  /** What is large in its value is not here. */
  ending: Ending;
  isCommand: boolean;
  /** Of its value, where that is a part of it only. */
  wholeBytes?: number;
}

/** The word for people and programs of how a call had ended after all. */
export function laterWordOf({ teller, minion, ending, isCommand, wholeBytes }: Told): LaterWord {
  const { state, value, error } = ending;
  const exitStatus =
    ending.exitStatus ?? (isCommand && value !== undefined ? exitStatusOf(value) : undefined);
  if (state === "cancelled" && error) {
    return { state, atMs: Date.now(), message: `${teller} told later: ${oneLine(error.message)}` };
  }
  const where = teller === minion ? "the call" : `on ${minion} it`;
  const begins = value === undefined ? undefined : excerptOf(value, isCommand);
  const detail = error ? oneLine(error.message) : begins;
  const failed = exitStatus !== undefined && exitStatus !== 0 ? ` (exit ${exitStatus})` : "";
  const more = wholeBytes === undefined ? "" : ` (${wholeBytes} bytes, which ${teller} keeps)`;
  const had = `${HAD[state] ?? `ended as ${state}`}${failed}${more}`;
  const isSmall =
    wholeBytes === undefined && value !== undefined && sizeOf(value) <= MAX_VALUE_BYTES;
  return {
    state,
    atMs: Date.now(),
    message: `${teller} told later: ${where} ${had}${detail === undefined ? "" : `: ${detail}`}`,
    ...(isSmall && { value }),
    ...(exitStatus !== undefined && { exitStatus }),
  };
}

/** The word that the hop has of an overlord behind it, or of the minion: told as the hop's own, who may say anything. */
export function relayedWord({ state, message, exitStatus }: LaterWord, hop: string): LaterWord {
  return {
    state,
    atMs: Date.now(),
    message: `${hop} told later: ${oneLine(message, MAX_RELAYED_LENGTH)}`,
    ...(Number.isSafeInteger(exitStatus) && { exitStatus }),
  };
}

function sizeOf(value: JsonValue): number {
  return Buffer.byteLength(JSON.stringify(value));
}
