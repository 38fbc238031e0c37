import * as v from "valibot";
import { FuncError, messageOf } from "../common/errors";
import { MAX_SUCCESSIONS } from "../pki/documents/keySuccession";
import type { DelegatedProgress } from "../protocol/delegation";
import { FINAL_STATES, type MinionCallState } from "../protocol/jobs";
import type { JsonValue } from "../protocol/value";
import type { XmlRpcValue } from "../wire/value";

const STATES: readonly MinionCallState[] = ["queued", "sent", "running", ...FINAL_STATES];
const MAX_OUTPUTS = 10_000;
const MAX_WORD_LENGTH = 2_000;

/** As the hop's own overlord takes them. */
const MAX_CURSOR_LENGTH = 200;
const MAX_HOPS = 64;
const MAX_NAME_LENGTH = 253;

const text = v.string();
const name = v.pipe(text, v.maxLength(MAX_NAME_LENGTH));
const keyText = v.pipe(text, v.maxLength(2_000));
/** Another number is none: what a hop tells beside a result does not make the result unreadable. */
const exitStatus = v.fallback(v.optional(v.pipe(v.number(), v.safeInteger())), undefined);
const json = v.custom<JsonValue>((value) => value !== undefined);

const Result = v.object({
  minion: text,
  callId: text,
  state: v.picklist(STATES),
  value: v.optional(json),
  exitStatus,
  error: v.optional(
    v.object({ type: text, message: text, trace: text, nextStep: v.optional(text) }),
  ),
  mayHaveRun: v.optional(v.boolean()),
  failedHop: v.optional(name),
  cancelPending: v.optional(v.boolean()),
  // a value that comes so late was judged by nobody
  later: v.optional(
    v.object({
      state: v.picklist([...FINAL_STATES]),
      atMs: v.number(),
      message: v.pipe(text, v.maxLength(MAX_WORD_LENGTH)),
      exitStatus,
    }),
  ),
  progress: v.optional(v.object({ done: v.number(), total: v.number() })),
  via: v.optional(v.pipe(v.array(name), v.maxLength(MAX_HOPS))),
  outputs: v.optional(
    v.pipe(
      v.array(
        v.object({
          sha256: v.pipe(text, v.regex(/^[0-9a-f]{64}$/)),
          bytes: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
          kind: v.picklist(["text", "bytes", "json"]),
          head: text,
        }),
      ),
      v.maxLength(MAX_OUTPUTS),
    ),
  ),
  receipt: v.optional(
    v.object({
      callId: text,
      digest: text,
      publicKey: text,
      signature: text,
      succession: v.optional(
        v.pipe(
          v.array(v.object({ publicKey: keyText, signature: keyText })),
          v.maxLength(MAX_SUCCESSIONS),
        ),
      ),
    }),
  ),
});

const cursor = v.pipe(text, v.maxLength(MAX_CURSOR_LENGTH));
const Progress = v.object({ cursor, results: v.array(Result), finished: v.boolean() });

/**
 * What a sub-overlord told of a job, which is not to be trusted further than its form. Throws FuncError
 * "broken-answer".
 */
export function readProgress(answer: XmlRpcValue): DelegatedProgress {
  try {
    if (typeof answer !== "string") throw new Error("it is no text");
    return v.parse(Progress, JSON.parse(answer));
  } catch (error) {
    const what = messageOf(error).slice(0, 200);
    throw new FuncError("broken-answer", `What it told of the job cannot be read: ${what}.`);
  }
}
