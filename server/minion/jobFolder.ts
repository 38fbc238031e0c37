import { randomBytes } from "node:crypto";
import { open, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { syncFolder, writeFileAtomic } from "../common/atomicFile";
import { makeFolders } from "../common/makeFolders";
import type { JsonValue } from "../protocol/value";
import { parseStat, type ProcessIdentity } from "../common/processIdentity";

/** What is written about a job before it starts. Never its arguments. */
export interface JobRecord {
  id: string;
  method: string;
  /** "command": runs under the job runner and outlives funcd; "inside": runs in funcd. */
  kind: "command" | "inside";
  startedAtMs: number;
  /** The boot of the host that it was started in. */
  bootId?: string;
  argumentsDigest: string;
  /** Who started it, see callOwner. */
  owner: string;
  /** The overlord's id of this call; a repeat of it is answered with this job. */
  callId?: string;
  /** Its originator has signed the call: so is the result. */
  signed?: boolean;
}

/** What is written once a job has ended: a value, or a command's return code. */
export interface JobResult {
  finishedAtMs: number;
  value?: JsonValue;
  rc?: number;
}

export type OutputName = "stdout" | "stderr";

/** How much of an output's end is read to find its last lines. */
const TAIL_BYTES = 256 * 1024;

/** The files of one job, in a folder whose name is random: nothing of it comes from the wire. */
export class JobFolder {
  constructor(readonly path: string) {}

  static async create(jobsFolder: string, record: JobRecord): Promise<JobFolder> {
    const folder = new JobFolder(join(jobsFolder, randomBytes(12).toString("hex")));
    try {
      await makeFolders(folder.path);
      await writeFileAtomic(folder.#file("job.json"), JSON.stringify(record));
      await syncFolder(jobsFolder);
    } catch (error) {
      await folder.remove().catch(() => undefined);
      throw error;
    }
    return folder;
  }

  /** Throws where the file is missing or damaged. */
  async readRecord(): Promise<JobRecord> {
    const record: unknown = JSON.parse(await readFile(this.#file("job.json"), "utf8"));
    if (!isJobRecord(record)) throw new Error(`${this.#file("job.json")} is damaged`);
    return record;
  }

  async readResult(): Promise<JobResult | undefined> {
    const text = await this.#read("result.json");
    return text === undefined ? undefined : (JSON.parse(text) as JobResult);
  }

  /** Settles once the result, and the outputs it goes with, are on the disk. */
  async writeResult(result: JobResult): Promise<void> {
    if (result.rc !== undefined) {
      await Promise.all([this.#sync("stdout"), this.#sync("stderr")]);
    }
    await writeFileAtomic(this.#file("result.json"), JSON.stringify(result));
  }

  /** The exit status that the runner left; negative where a signal ended the command. */
  async readExit(): Promise<number | undefined> {
    const text = await this.#read("exit");
    const status = Number.parseInt(text ?? "", 10);
    if (Number.isNaN(status)) return undefined;
    const bySignal = status > 128 && (await this.#size("runner.log")) > 0;
    return bySignal ? 128 - status : status;
  }

  /** True where the runner wanted to write an exit status and could not. */
  async lacksExit(): Promise<boolean> {
    const [begun, exit] = await Promise.all([this.#read("exit.new"), this.readExit()]);
    return begun !== undefined && exit === undefined;
  }

  /** The runner of the command: undefined where it has not begun, "given up" where it never will. */
  async readRunner(): Promise<ProcessIdentity | "given up" | undefined> {
    const text = await this.#read("identity");
    if (text === undefined) return undefined;
    const [bootId = "", processStat = ""] = text.split("\n");
    return parseStat(bootId, processStat) ?? "given up";
  }

  /** Keeps a runner that has not begun from beginning. False where it has begun after all. */
  async giveUp(): Promise<boolean> {
    try {
      await writeFile(this.#file("identity"), "given up\n", { flag: "wx", mode: 0o600 });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    }
  }

  /** Notes that somebody else keeps the result. A power cut may take the note back. */
  async acknowledge(): Promise<void> {
    await writeFile(this.#file("acknowledged"), "", { mode: 0o600 });
  }

  async isAcknowledged(): Promise<boolean> {
    return (await this.#read("acknowledged")) !== undefined;
  }

  outputSize(name: OutputName): Promise<number> {
    return this.#size(name);
  }

  /** Its path. */
  outputFile(name: OutputName): string {
    return this.#file(name);
  }

  /** At most `length` bytes of an output from `offset`, and how many it has. */
  async readRange(
    name: OutputName,
    offset: number,
    length: number,
  ): Promise<{ bytes: Uint8Array; size: number }> {
    let handle;
    try {
      handle = await open(this.#file(name), "r");
    } catch (error) {
      return { bytes: emptyIfMissing(error), size: 0 };
    }
    try {
      const { size } = await handle.stat();
      const most = Math.max(0, Math.min(length, size - offset));
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(most), 0, most, offset);
      return { bytes: buffer.subarray(0, bytesRead), size };
    } finally {
      await handle.close();
    }
  }

  async readOutput(name: OutputName): Promise<Uint8Array> {
    return readFile(this.#file(name)).catch(emptyIfMissing);
  }

  /** The last `lines` lines of an output, as far as they lie within its last 256 KiB. */
  async tail(name: OutputName, lines: number): Promise<string> {
    let handle;
    try {
      handle = await open(this.#file(name), "r");
    } catch (error) {
      return emptyIfMissing(error).toString();
    }
    try {
      const { size } = await handle.stat();
      const from = Math.max(0, size - TAIL_BYTES);
      const { buffer, bytesRead } = await handle.read(
        Buffer.alloc(size - from),
        0,
        size - from,
        from,
      );
      const all = buffer.toString("utf8", 0, bytesRead).split("\n");
      const ended = all.at(-1) === "" ? 1 : 0;
      return all.slice(-lines - ended).join("\n");
    } finally {
      await handle.close();
    }
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }

  #file(name: string): string {
    return join(this.path, name);
  }

  async #read(name: string): Promise<string | undefined> {
    try {
      return await readFile(this.#file(name), "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  async #size(name: string): Promise<number> {
    try {
      return (await stat(this.#file(name))).size;
    } catch (error) {
      return emptyIfMissing(error).length;
    }
  }

  async #sync(name: OutputName): Promise<void> {
    let handle;
    try {
      handle = await open(this.#file(name), "r");
    } catch (error) {
      emptyIfMissing(error);
      return;
    }
    try {
      await handle.datasync();
    } finally {
      await handle.close();
    }
  }
}

function isJobRecord(value: unknown): value is JobRecord {
  if (typeof value !== "object" || value === null) return false;
  const { id, method, kind, startedAtMs, owner } = value as Record<string, unknown>;
  const texts = [id, method, owner].every((one) => typeof one === "string");
  return texts && typeof startedAtMs === "number" && (kind === "command" || kind === "inside");
}

function emptyIfMissing(error: unknown): Buffer {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") return Buffer.alloc(0);
  throw error;
}
