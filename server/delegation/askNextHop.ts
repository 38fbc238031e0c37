import type { MinionCaller } from "../calls/minionCaller";
import { NO_OVERLORD, reasonOfRemoteType } from "../calls/overlordErrors";
import { FuncError } from "../common/errors";
import type { RequestAt } from "../protocol/delegation";
import type { MinionRecord } from "../protocol/minions";
import type { JsonValue } from "../protocol/value";
import type { Inventory } from "../targets/inventory";

/** Of the overlord at the end, which may have to be started. */
const ANSWER_TIMEOUT_MS = 20_000;
/** What each hop on the way may add: nobody gives up before those behind it. */
const HOP_TIMEOUT_MS = 8_000;
/** A list of 100,000 minions has less. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const UNKNOWN_METHOD = "InvalidMethodException";

interface Question {
  /** Sub-overlords from here on, at least one. */
  path: readonly string[];
  request: RequestAt;
  params: JsonValue;
}

/**
 * Sends a request to the overlord at the end of the path, by way of the funcd of its first host. Throws FuncError with
 * that overlord's reason; "not-found" where the first host is no minion of this overlord, "unavailable" where one
 * on the way is no sub-overlord, and as calls fail otherwise.
 */
export async function askNextHop(
  {
    caller,
    inventory,
    signal,
  }: { caller: MinionCaller; inventory: Inventory; signal: AbortSignal },
  { path, request, params }: Question,
): Promise<JsonValue> {
  const [next = "", ...rest] = path;
  const minion = inventory.find(next);
  if (!minion) {
    throw new FuncError(
      "not-found",
      `There is no minion ${next} to ask.`,
      "func map show tells which sub-overlords there are.",
    );
  }
  const words = [JSON.stringify(rest), request, JSON.stringify(params)];
  const outcome = await caller.call(minion, "delegation.ask", words, {
    timeoutMs: ANSWER_TIMEOUT_MS + HOP_TIMEOUT_MS * path.length,
    signal,
    inMemoryBytes: MAX_ANSWER_BYTES,
  });
  if (outcome.state === "succeeded") return readAnswer(minion, outcome.value);
  const { type, message, nextStep } = outcome.error;
  if (type === NO_OVERLORD || type.includes(UNKNOWN_METHOD)) throw noSubOverlord(minion);
  const reason = outcome.reason ?? reasonOfRemoteType(type);
  if (reason) throw new FuncError(reason, told(minion, message), nextStep);
  const state = outcome.state === "failed" ? "broken-answer" : outcome.state;
  throw new FuncError(state, told(minion, message), nextStep);
}

function readAnswer({ name }: MinionRecord, value: unknown): JsonValue {
  try {
    if (typeof value === "string") return JSON.parse(value) as JsonValue;
  } catch {
    // said below
  }
  throw new FuncError("broken-answer", `${name} answered with something that is no JSON document.`);
}

function noSubOverlord({ name }: MinionRecord): FuncError {
  return new FuncError(
    "unavailable",
    `${name} is no sub-overlord.`,
    `On ${name}: func suboverlord init; or update its funcd, where it is one.`,
  );
}

function told({ name }: MinionRecord, message: string): string {
  return message.includes(name) ? message : `${name}: ${message}`;
}
