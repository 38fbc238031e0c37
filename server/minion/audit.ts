import { createHash } from "node:crypto";
import { appendFile, chmod, mkdir, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { messageOf } from "../common/errors";
import type { Log } from "../common/log";
import { toJson } from "../wire/jsonValue";
import type { XmlRpcValue } from "../wire/value";

export interface AuditEntry {
  role?: string;
  name?: string;
  keyFingerprint?: string;
  address: string;
  method?: string;
  async?: boolean;
  /** hex SHA-256 of the arguments; they themselves are never written. */
  argumentsDigest?: string;
  jobId?: string;
  callId?: string;
  /** "started", "ok", "error TYPE", "denied", "refused: why". */
  outcome: string;
}

const MAX_BYTES = 10 * 1024 * 1024;
const KEPT_FILES = 4;

/**
 * The record of who called what: JSON lines, only ever appended to, readable by the owner only.
 * At 10 MiB the file moves to `audit.log.1` and so on; the oldest beyond four are dropped.
 */
export class Audit {
  readonly #file: string;
  readonly #log: Log;
  readonly #maxBytes: number;
  #size: number | undefined;
  #pending: string[] = [];
  #writing: Promise<void> | undefined;

  constructor(file: string, log: Log, maxBytes = MAX_BYTES) {
    this.#file = file;
    this.#log = log;
    this.#maxBytes = maxBytes;
  }

  /** Settles once the line is written. A failure goes to the log: a full disk must not lock its host out. */
  write(entry: AuditEntry): Promise<void> {
    this.#pending.push(`${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`);
    this.#writing ??= this.#drain();
    return this.#writing;
  }

  async #drain(): Promise<void> {
    // lines that come while others are written go with the next write
    while (this.#pending.length > 0) {
      const text = this.#pending.join("");
      this.#pending = [];
      try {
        await this.#append(text);
      } catch (error) {
        this.#size = undefined;
        this.#log.error("the audit log cannot be written", { problem: messageOf(error) });
      }
    }
    this.#writing = undefined;
  }

  async #append(text: string): Promise<void> {
    this.#size ??= await this.#open();
    if (this.#size > 0 && this.#size + text.length > this.#maxBytes) {
      await this.#rotate();
      this.#size = 0;
    }
    await appendFile(this.#file, text, { mode: 0o600 });
    this.#size += Buffer.byteLength(text);
  }

  async #open(): Promise<number> {
    await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
    await appendFile(this.#file, "", { mode: 0o600 });
    await chmod(this.#file, 0o600);
    return (await stat(this.#file)).size;
  }

  async #rotate(): Promise<void> {
    for (let number = KEPT_FILES - 1; number >= 0; number--) {
      const from = number === 0 ? this.#file : `${this.#file}.${number}`;
      await rename(from, `${this.#file}.${number + 1}`).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      });
    }
  }
}

/** hex SHA-256 of the arguments, to tell equal calls without showing what was in them. */
export function argumentsDigest(params: readonly XmlRpcValue[]): string {
  const hash = createHash("sha256");
  for (const param of params) hash.update(JSON.stringify(toJson(param))).update("\n");
  return hash.digest("hex");
}
