import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { MinionModules } from "../calls/methodDirectory";
import type { MinionCaller } from "../calls/minionCaller";
import { readModules } from "../calls/moduleReaders";
import { FuncError } from "../common/errors";
import type { MinionBehind } from "../jobs/engine/minionsBehind";
import type { JsonValue } from "../protocol/value";
import type { Inventory } from "../targets/inventory";
import { askNextHop } from "./askNextHop";
import { textOfAsking } from "./textOfAsking";

/** All of them have to fail before it is said that nobody answered: the list is not tried to its end. */
const MOST_ASKED = 4;
/** A hop whose answer takes longer is asked whether it is there at all. */
const LOOK_AFTER_MS = 3_000;
const LOOK_TIMEOUT_MS = 7_000;

interface Asking {
  caller: MinionCaller;
  inventory: Inventory;
  /** The next hops that turn out not to answer are put into it. */
  away?: Set<string>;
}

/**
 * The modules of one of the first few hosts behind sub-overlords: each is asked by the overlord directly above it, and
 * the first answer counts. Throws FuncError with the reason of the first where none answers, "cancelled".
 */
export async function describeBehind(
  tools: Asking,
  behind: readonly MinionBehind[],
  signal: AbortSignal,
): Promise<MinionModules> {
  const enough = new AbortController();
  const either = AbortSignal.any([signal, enough.signal]);
  setMaxListeners(0, either);
  const asked = behind.slice(0, MOST_ASKED).map(async ({ name, path }): Promise<MinionModules> => {
    const params = { spec: path.at(-1) ?? name };
    const question = { path: path.slice(0, -1), request: "minions/describe" as const, params };
    const over = new AbortController();
    const own = AbortSignal.any([either, over.signal]);
    let away: FuncError | undefined;
    void awayProblem(tools, { name, path }, own).then((problem) => {
      away = problem;
      if (problem) over.abort();
    });
    try {
      const answer = await askNextHop({ ...tools, signal: own }, question);
      return { minion: name, modules: readModules(modulesIn(answer)) };
    } catch (error) {
      throw away ?? error;
    } finally {
      over.abort();
    }
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

/** Looks after a while whether the next hop is there; undefined where it is, or nobody waits any more. Never rejects. */
async function awayProblem(
  { caller, inventory, away }: Asking,
  { name, path }: MinionBehind,
  signal: AbortSignal,
): Promise<FuncError | undefined> {
  await sleep(LOOK_AFTER_MS, undefined, { signal }).catch(() => undefined);
  const hop = inventory.find(path[0] ?? "");
  if (!hop || signal.aborted) return undefined;
  const limits = { timeoutMs: LOOK_TIMEOUT_MS, signal };
  const outcome = await caller.call(hop, "test.ping", [], limits);
  if (outcome.state === "succeeded" || outcome.state === "cancelled") return undefined;
  if (outcome.answered) return undefined;
  away?.add(hop.name);
  const { message, nextStep } = outcome.error;
  return new FuncError(
    "unreachable",
    `${name} cannot be asked, since its hop ${hop.name} does not answer: ${textOfAsking(message)}`,
    // what may have run is a ping
    outcome.mayHaveRun ? `Look at funcd on ${hop.name}, which may be frozen.` : nextStep,
  );
}

function modulesIn(answer: JsonValue): JsonValue {
  const isStruct = typeof answer === "object" && answer !== null && !Array.isArray(answer);
  return (isStruct ? answer["modules"] : undefined) ?? null;
}
