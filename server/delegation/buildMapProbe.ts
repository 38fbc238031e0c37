import { randomUUID } from "node:crypto";
import { fanOut } from "../calls/fanOut";
import type { MinionCaller, MinionCallOutcome } from "../calls/minionCaller";
import { FuncError, messageOf } from "../common/errors";
import type { MinionRecord } from "../protocol/minions";
import type { Inventory } from "../targets/inventory";
import { toJson } from "../wire/jsonValue";
import { XmlRpcDouble, type XmlRpcValue } from "../wire/value";
import {
  MOST_BELOW_MS,
  readMapBelow,
  readOriginalMap,
  type NodeBudget,
  type ProbedHost,
} from "./mapBelow";
import { NO_OVERLORD } from "../calls/overlordErrors";
import { textOfAsking } from "./textOfAsking";

const AT_ONCE = 32;
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
/** Of the time that is left, what a sub-overlord gets: its answer has to come before this side gives up. */
const SHARE_BELOW = 0.85;
const LEAST_BELOW_MS = 200;
/** A funcd that does not have the method. */
const UNKNOWN_METHOD = /InvalidMethodException|ModuleNotFoundException/;

/** What hosts are asked with. */
export interface ProbeTools {
  caller: MinionCaller;
  inventory: Inventory;
}

export interface ProbeOptions {
  /** Whoever does not answer test.ping is not asked further, also further down. */
  onlyAlive: boolean;
  /** For each host with all behind it. */
  timeoutMs: number;
  /** For all together; who has not been asked by then is told as such. */
  totalMs?: number;
  /** Identities of the overlords that ask, this one's last. */
  above: readonly string[];
  /** How deep in the map these hosts stand; 1 for those directly below the one who builds it. */
  depth: number;
  budget: NodeBudget;
  signal: AbortSignal;
  onAsked?: (host: ProbedHost) => void;
}

/**
 * Asks minions for those behind them, some at the same time, slow ones aside; sorted by name. Each host is in the
 * answer, also one that is away. Throws FuncError "cancelled" once `signal` is aborted.
 */
export async function probeMinions(
  tools: ProbeTools,
  minions: readonly MinionRecord[],
  options: ProbeOptions,
): Promise<ProbedHost[]> {
  const { signal, totalMs, onAsked } = options;
  const hosts: ProbedHost[] = [];
  const end =
    totalMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(totalMs)]);
  await fanOut({
    items: minions,
    nforks: AT_ONCE,
    aside: tools.caller.aside,
    signal: end,
    run: async (minion) => {
      const host = await probe(tools, minion, { ...options, signal: end });
      hosts.push(host);
      onAsked?.(host);
    },
    skip: (minion) => {
      hosts.push(notAsked(tools, minion, { message: "There was no time left to ask it." }));
    },
  });
  if (signal.aborted)
    throw new FuncError("cancelled", "Building the delegation map was cancelled.");
  return hosts.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Never throws. */
async function probe(
  tools: ProbeTools,
  minion: MinionRecord,
  options: ProbeOptions,
): Promise<ProbedHost> {
  const { caller } = tools;
  const untilMs = performance.now() + options.timeoutMs;
  const time = AbortSignal.timeout(options.timeoutMs);
  const limits = { timeoutMs: options.timeoutMs, signal: AbortSignal.any([options.signal, time]) };

  const ping = await caller.call(minion, "test.ping", [], limits);
  const alive = ping.state === "succeeded" && toJson(ping.value) === 1;
  if (ping.state !== "succeeded" && (!ping.answered || options.onlyAlive)) {
    return { ...notAsked(tools, minion, problemOf(ping, time, options)), alive };
  }
  const native = await caller.isNative(minion);
  const restMs = (untilMs - performance.now()) * SHARE_BELOW - LEAST_BELOW_MS;
  const belowMs = Math.min(restMs, MOST_BELOW_MS);
  if (belowMs < LEAST_BELOW_MS) {
    const message = "There was no time left to ask for those behind it.";
    return { ...notAsked(tools, minion, { message }), native, alive };
  }
  const callId = `map-${randomUUID()}`;
  const outcome = native
    ? await caller.call(minion, "delegation.map_below", belowParams(options, belowMs), {
        ...limits,
        callId,
        inMemoryBytes: MAX_ANSWER_BYTES,
      })
    : await caller.call(minion, "overlord.map_minions", options.onlyAlive ? [true] : [], limits);
  if (native && outcome.state === "cancelled") void caller.tellCancel(minion, callId);
  const host =
    outcome.state === "cancelled"
      ? notAsked(tools, minion, problemOf(outcome, time, options))
      : hostIfRead(tools, minion, outcome, native, options);
  return { ...host, native, alive };
}

function belowParams({ onlyAlive, above }: ProbeOptions, belowMs: number): XmlRpcValue[] {
  return [onlyAlive, new XmlRpcDouble(belowMs / 1_000), JSON.stringify(above)];
}

/** Throws FuncError "broken-answer", "too-large". */
function hostOf(
  tools: ProbeTools,
  minion: MinionRecord,
  outcome: MinionCallOutcome,
  native: boolean,
  { depth, budget }: ProbeOptions,
): ProbedHost {
  const host = known(tools, minion);
  if (outcome.state !== "succeeded") {
    const { state, answered, error } = outcome;
    const isLeaf = native
      ? error.type === NO_OVERLORD || UNKNOWN_METHOD.test(`${error.type} ${error.message}`)
      : answered && state !== "denied"; // the original's method fails where there are no minions
    if (isLeaf) return { ...host, outcome: "not-an-overlord", children: [] };
    return notAsked(tools, minion, whyOf(error));
  }
  if (!native) {
    const children = readOriginalMap(toJson(outcome.value), depth + 1, budget);
    const isLeaf = children.length === 0;
    return { ...host, outcome: isLeaf ? "not-an-overlord" : "overlord", children };
  }
  if (typeof outcome.value !== "string") {
    throw new FuncError("broken-answer", "What it answered is no text.");
  }
  const { cycle, hosts } = readMapBelow(outcome.value, depth + 1, budget);
  if (cycle) return { ...host, outcome: "cycle", children: [] };
  return { ...host, outcome: hosts.length > 0 ? "overlord" : "no-minions", children: hosts };
}

/** As `hostOf`; a host whose answer cannot be used counts as one that could not be asked. */
function hostIfRead(...of: Parameters<typeof hostOf>): ProbedHost {
  try {
    return hostOf(...of);
  } catch (error) {
    return notAsked(of[0], of[1], { message: messageOf(error) });
  }
}

function notAsked(tools: ProbeTools, minion: MinionRecord, why: Why): ProbedHost {
  return { ...known(tools, minion), outcome: "not-asked", ...why, children: [] };
}

/** Its key may have been renewed since it was listed. */
function known(
  { inventory }: ProbeTools,
  { name, keyFingerprint }: MinionRecord,
): Pick<ProbedHost, "name" | "identity"> {
  return { name, identity: inventory.find(name)?.keyFingerprint ?? keyFingerprint };
}

function problemOf(
  outcome: Exclude<MinionCallOutcome, { state: "succeeded" }>,
  time: AbortSignal,
  { timeoutMs }: ProbeOptions,
): Why {
  if (outcome.state !== "cancelled") return whyOf(outcome.error);
  return {
    message: time.aborted
      ? `It did not answer within ${timeoutMs / 1_000} seconds.`
      : "There was no time left for its answer.",
  };
}

/** Why a host could not be asked. */
type Why = Pick<ProbedHost, "message" | "nextStep">;

function whyOf({ message, nextStep }: { message: string; nextStep?: string }): Why {
  return { message: textOfAsking(message), ...(nextStep !== undefined && { nextStep }) };
}
