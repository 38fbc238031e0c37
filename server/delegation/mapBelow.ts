import { FuncError } from "../common/errors";
import { isMinionName } from "../common/minionName";
import type { MapProbeOutcome } from "../protocol/delegation";
import { MAX_MAP_DEPTH, MAX_MAP_NODES, nameKey } from "./delegationMap";

/** The longest that a sub-overlord may take to tell of those behind it. */
export const MOST_BELOW_MS = 3_600_000;

/** A host that was asked for those behind it. */
export interface ProbedHost {
  name: string;
  outcome: MapProbeOutcome;
  /** hex SHA-256 of its key, where the overlord above it pins one. */
  identity?: string;
  /** One of our own funcd; undefined where nobody has spoken to it. */
  native?: boolean;
  /** It answered test.ping; undefined where nobody knows. */
  alive?: boolean;
  /** What there is to say, for people. */
  message?: string;
  /** What to do about it, at the overlord directly above it. */
  nextStep?: string;
  children: ProbedHost[];
}

/** False of one that is away, or of which nobody knows. */
export function isAlive({ outcome, alive }: ProbedHost): boolean {
  return outcome !== "not-asked" || alive === true;
}

/** What a sub-overlord of ours answers to `delegation.map_below`, as JSON. */
export interface MapBelowAnswer {
  /** True where this overlord is among those above: what is behind it is told by that one. */
  cycle?: boolean;
  hosts: ProbedHost[];
}

const OUTCOMES: ReadonlySet<string> = new Set<MapProbeOutcome>([
  "overlord",
  "no-minions",
  "not-an-overlord",
  "not-asked",
  "cycle",
  "too-deep",
]);
const MAX_MESSAGE = 500;

/** How many entries a map may still get, whoever tells of them. */
export interface NodeBudget {
  left: number;
}

/**
 * Reads what a sub-overlord says is behind it; nothing of it is believed but its form. `depth`: how deep in the map
 * those hosts stand. Throws FuncError "broken-answer", "too-large".
 */
export function readMapBelow(text: string, depth: number, budget: NodeBudget): MapBelowAnswer {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw broken("it is not JSON");
  }
  if (!isRecord(answer)) throw broken("it is not an object");
  if (answer["cycle"] === true) return { cycle: true, hosts: [] };
  return { hosts: within(budget, (left) => readHosts(answer["hosts"], depth, left)) };
}

/** What cannot be used takes no room from others. */
function within<T>(budget: NodeBudget, read: (left: NodeBudget) => T): T {
  const left = { ...budget };
  const hosts = read(left);
  budget.left = left.left;
  return hosts;
}

function readHosts(value: unknown, depth: number, budget: NodeBudget): ProbedHost[] {
  if (!Array.isArray(value)) throw broken("it has no list of hosts");
  const hosts = new Map<string, ProbedHost>();
  for (const one of value as unknown[]) {
    if (!isRecord(one)) throw broken("a host in it is no object");
    const { name, outcome, identity, native, alive, message, nextStep, children } = one;
    if (typeof name !== "string" || !isMinionName(name)) throw badName(name);
    if (typeof outcome !== "string" || !isOutcome(outcome)) {
      throw broken(`${name} in it has no outcome`);
    }
    take(budget);
    const host = hostOf(name, depth, outcome, () => readHosts(children, depth + 1, budget));
    if (typeof identity === "string" && /^[0-9a-f]{64}$/.test(identity)) host.identity = identity;
    if (typeof native === "boolean") host.native = native;
    if (typeof alive === "boolean") host.alive = alive;
    if (typeof message === "string") host.message ??= inLine(message);
    if (typeof nextStep === "string") host.nextStep = inLine(nextStep);
    addOnce(hosts, host);
  }
  return [...hosts.values()];
}

/**
 * Reads what an original sub-overlord answers to `overlord.map_minions`: nested structs, no more. As `readMapBelow`
 * otherwise.
 */
export function readOriginalMap(value: unknown, depth: number, budget: NodeBudget): ProbedHost[] {
  return within(budget, (left) => readStructs(value, depth, left));
}

function readStructs(value: unknown, depth: number, budget: NodeBudget): ProbedHost[] {
  if (!isRecord(value)) throw broken("it is no struct of hosts");
  const hosts = new Map<string, ProbedHost>();
  for (const [name, below] of Object.entries(value)) {
    if (!isMinionName(name.toLowerCase())) throw badName(name);
    take(budget);
    const isLeaf = isRecord(below) && Object.keys(below).length === 0;
    const outcome = isLeaf ? "not-an-overlord" : "overlord";
    addOnce(
      hosts,
      hostOf(name, depth, outcome, () => readStructs(below, depth + 1, budget)),
    );
  }
  return [...hosts.values()];
}

function hostOf(
  name: string,
  depth: number,
  outcome: MapProbeOutcome,
  children: () => ProbedHost[],
): ProbedHost {
  if (outcome !== "overlord") return { name, outcome, children: [] };
  if (depth < MAX_MAP_DEPTH) return { name, outcome, children: children() };
  const message = `${MAX_MAP_DEPTH} tiers are the most; what stands behind it is left out.`;
  return { name, outcome: "too-deep", message, children: [] };
}

/** The same name twice at one place is one host. */
function addOnce(hosts: Map<string, ProbedHost>, host: ProbedHost): void {
  const key = nameKey(host.name);
  if (hosts.has(key)) throw broken(`${host.name} stands in it twice`);
  hosts.set(key, host);
}

function take(budget: NodeBudget): void {
  if (--budget.left >= 0) return;
  throw new FuncError("too-large", `The map would have more than ${MAX_MAP_NODES} entries.`);
}

function isOutcome(text: string): text is MapProbeOutcome {
  return OUTCOMES.has(text);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function inLine(text: string): string {
  return text.slice(0, MAX_MESSAGE).replace(/[\p{Cc}\s]+/gu, " ");
}

function badName(name: unknown): FuncError {
  const shown = typeof name === "string" ? JSON.stringify(name.slice(0, 100)) : "what is no text";
  return broken(`${shown} in it is no host's name`);
}

function broken(what: string): FuncError {
  return new FuncError("broken-answer", `What it told of its minions cannot be used: ${what}.`);
}
