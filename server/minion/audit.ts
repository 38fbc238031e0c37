import { createHash } from "node:crypto";
import { join } from "node:path";
import { AuditChain } from "../common/auditChain";
import type { Space } from "../common/diskReserve";
import type { Log } from "../common/log";
import { toJson } from "../wire/jsonValue";
import type { XmlRpcValue } from "../wire/value";
import type { Caller } from "./minionModule";

export interface AuditEntry {
  role?: string;
  name?: string;
  keyFingerprint?: string;
  address: string;
  /** Who asked at first, "overlord:boss": the caller, unless it passes on what another signed. */
  originator?: string;
  /** Of a call that another has signed: who brought it, "overlord:mid1". */
  via?: string;
  method?: string;
  async?: boolean;
  /** hex SHA-256 of the arguments; they themselves are never written. */
  argumentsDigest?: string;
  jobId?: string;
  callId?: string;
  /** "started", "ok", "error TYPE", "denied", "refused: why". */
  outcome: string;
  /** Why it was denied. */
  reason?: string;
}

/**
 * The record of who called what: hash-chained JSON lines, only ever appended to, readable by the owner only,
 * 10 MiB in each of five files.
 */
export class Audit {
  readonly #chain: AuditChain;

  constructor(file: string, log: Log, options: { maxBytes?: number; space?: Space } = {}) {
    this.#chain = new AuditChain(file, log, options.maxBytes, options.space);
  }

  /** Settles once the line is written. A failure goes to the log: a full disk must not lock its host out. */
  write(entry: AuditEntry): Promise<void> {
    return this.#chain.append({ ...entry });
  }

  /** Tells what nobody called: the access rules have become wrong, or right again. Settles like `write`. */
  noteAccess(problem: string | undefined): Promise<void> {
    const outcome = problem === undefined ? "in use" : "wrong: calls are denied";
    return this.#chain.append({ event: "access-rules", outcome, reason: problem });
  }

  /** Tells that an overlord's key was recorded, so that its calls are taken from others, or forgotten. Settles like `write`. */
  noteOriginator(
    outcome: string,
    originator: { name: string; keyFingerprint: string },
  ): Promise<void> {
    const { name, keyFingerprint } = originator;
    return this.#chain.append({ event: "originator", outcome, name, keyFingerprint });
  }

  /** Settles once all is written. */
  close(): Promise<void> {
    return this.#chain.flush();
  }
}

/** The audit log of a minion's home; older parts of it lie beside it. */
export function auditFile(home: string): string {
  return join(home, "audit.log");
}

/** What of a caller goes into each line. */
export function auditedCaller(caller: Caller): Omit<AuditEntry, "outcome"> {
  const { role, name, keyFingerprint, address, via } = caller;
  const who = { role, name, keyFingerprint, address };
  if (!via) return { ...who, originator: `${role}:${name}` };
  return { ...who, originator: `overlord:${name}`, via: `${via.role}:${via.name}` };
}

/** hex SHA-256 of the arguments, to tell equal calls without showing what was in them. */
export function argumentsDigest(params: readonly XmlRpcValue[]): string {
  const hash = createHash("sha256");
  for (const param of params) hash.update(JSON.stringify(toJson(param))).update("\n");
  return hash.digest("hex");
}
