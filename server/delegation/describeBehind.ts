import { setMaxListeners } from "node:events";
import type { MinionModules } from "../calls/methodDirectory";
import type { MinionCaller } from "../calls/minionCaller";
import { readModules } from "../calls/moduleReaders";
import { FuncError } from "../common/errors";
import type { MinionBehind } from "../jobs/engine/minionsBehind";
import type { JsonValue } from "../protocol/value";
import type { Inventory } from "../targets/inventory";
import { askNextHop } from "./askNextHop";

/** All of them have to fail before it is said that nobody answered: the list is not tried to its end. */
const MOST_ASKED = 4;

/**
 * The modules of one of the first few hosts behind sub-overlords: each is asked by the overlord directly above it, and
 * the first answer counts. Throws FuncError with the reason of the first where none answers, "cancelled".
 */
export async function describeBehind(
  tools: { caller: MinionCaller; inventory: Inventory },
  behind: readonly MinionBehind[],
  signal: AbortSignal,
): Promise<MinionModules> {
  const enough = new AbortController();
  const either = AbortSignal.any([signal, enough.signal]);
  setMaxListeners(0, either);
  const asked = behind.slice(0, MOST_ASKED).map(async ({ name, path }): Promise<MinionModules> => {
    const params = { spec: path.at(-1) ?? name };
    const question = { path: path.slice(0, -1), request: "minions/describe" as const, params };
    const answer = await askNextHop({ ...tools, signal: either }, question);
    return { minion: name, modules: readModules(modulesIn(answer)) };
  });
  try {
    return await Promise.any(asked);
  } catch (error) {
    if (signal.aborted) throw new FuncError("cancelled", "Asking for the methods was cancelled.");
    throw error instanceof AggregateError ? error.errors[0] : error;
  } finally {
    enough.abort();
  }
}

function modulesIn(answer: JsonValue): JsonValue {
  const isStruct = typeof answer === "object" && answer !== null && !Array.isArray(answer);
  return (isStruct ? answer["modules"] : undefined) ?? null;
}
