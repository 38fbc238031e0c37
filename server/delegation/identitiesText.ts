import { FuncError } from "../common/errors";
import { MAX_MAP_DEPTH } from "./delegationMap";

/** A host's key as it was first seen. */
export interface HostIdentity {
  /** From the top, the host itself last. */
  path: string[];
  /** hex SHA-256 of its public key (SPKI). */
  key: string;
  /** One of our own funcd; else one of the original. */
  native: boolean;
  firstSeenMs: number;
  /** What this host, a sub-overlord, told last: how many stand directly behind it, of the original at any depth. */
  told?: { hosts: number; atMs: number };
  /** Since the sub-overlord above has told that it is none of its minions; its key counts all the same. */
  goneSinceMs?: number;
}

const HEADER = [
  "# Which key each host of the delegation map has shown. Remove a host's line to learn its key anew.",
  "---",
];

/** YAML with a JSON object a line, so that a hundred thousand hosts are read at once. */
export function formatIdentities(identities: Iterable<HostIdentity>): string {
  const lines = [...HEADER];
  for (const { path, key, native, firstSeenMs, told, goneSinceMs } of identities) {
    const line = {
      path,
      key,
      native,
      first_seen: timeText(firstSeenMs),
      ...(told && { told: { hosts: told.hosts, at: timeText(told.atMs) } }),
      ...(goneSinceMs !== undefined && { gone_since: timeText(goneSinceMs) }),
    };
    lines.push(`- ${JSON.stringify(line)}`);
  }
  if (lines.length === HEADER.length) lines.push("[]");
  return `${lines.join("\n")}\n`;
}

/** Of a damaged text all whole lines, and what is wrong with the first other one; `text`: undefined of no file. */
export function parseIdentities(
  text: string | undefined,
  file: string,
): { identities: HostIdentity[]; problem?: FuncError } {
  if (text === undefined) return { identities: [] };
  if (text.trim() === "") return { identities: [], problem: emptied(file) };
  const identities: HostIdentity[] = [];
  let wrong: number | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    if (/^\s*(?:#.*|---|\[\])?\s*$/.test(line)) continue;
    const identity = identityOf(line);
    if (identity) identities.push(identity);
    else wrong ??= index + 1;
  }
  if (wrong === undefined) return { identities };
  const problem = new FuncError(
    "bad-data",
    `${file}:${wrong}: this is not the key of a host.`,
    "Remove the line; the key of its host is learnt again at the next map or call.",
  );
  return { identities, problem };
}

/** There is a line at least, of which nobody is on record either. */
function emptied(file: string): FuncError {
  return new FuncError(
    "bad-data",
    `${file} is empty: it was cut off.`,
    "Put it back from a backup, or remove it: the keys are learnt again at the next maps and calls.",
  );
}

function identityOf(line: string): HostIdentity | undefined {
  if (!line.startsWith("- ")) return undefined;
  try {
    const { path, key, native, first_seen, told, gone_since } = JSON.parse(line.slice(2)) as Record<
      string,
      unknown
    >;
    if (!Array.isArray(path) || path.length === 0 || path.length > MAX_MAP_DEPTH) return undefined;
    const names = path.filter((name): name is string => typeof name === "string" && name !== "");
    const firstSeenMs = timeOf(first_seen);
    if (names.length !== path.length || firstSeenMs === undefined) return undefined;
    if (typeof key !== "string" || !/^[0-9a-f]{64}$/.test(key)) return undefined;
    const goneSinceMs = timeOf(gone_since);
    return {
      path: names,
      key,
      native: native === true,
      firstSeenMs,
      ...toldOf(told),
      ...(goneSinceMs !== undefined && { goneSinceMs }),
    };
  } catch {
    return undefined;
  }
}

function toldOf(value: unknown): Pick<HostIdentity, "told"> {
  if (typeof value !== "object" || value === null) return {};
  const { hosts, at } = value as Record<string, unknown>;
  const atMs = timeOf(at);
  if (typeof hosts !== "number" || !Number.isSafeInteger(hosts) || atMs === undefined) return {};
  return hosts < 0 ? {} : { told: { hosts, atMs } };
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

function timeOf(value: unknown): number | undefined {
  const ms = typeof value === "string" ? Date.parse(value) : NaN;
  return Number.isFinite(ms) ? ms : undefined;
}
