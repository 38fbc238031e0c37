import { userInfo } from "node:os";
import { AuditChain } from "../common/auditChain";
import { readAudit, type AuditRange, type AuditRecord } from "../common/auditRead";
import { verifyAudit, type ChainReport } from "../common/auditVerify";
import { FuncError, messageOf } from "../common/errors";
import type { Log } from "../common/log";
import type { Job } from "../jobs/job";
import type { Refusal } from "../pki/certmaster/certmasterRequests";
import type { ClientHello } from "../protocol/overlord";
import { auditedParams, auditedResult, isAudited } from "./auditedRequest";

/** Who sent a request, as its connection told at its beginning. */
export interface AuditedClient extends Pick<ClientHello, "kind" | "version" | "pid"> {
  /** The overlord above that the client asks for, as its certificate proved. */
  by?: string;
}

const MAX_REASON = 500;

/**
 * The record of what was asked of this overlord, by whom, and how it ended: hash-chained JSON lines in
 * `<data>/audit.log`. A request that changes nothing leaves no line.
 */
export class OverlordAudit {
  readonly #file: string;
  readonly #chain: AuditChain;
  readonly #user = userName();

  constructor(file: string, log: Log) {
    this.#file = file;
    this.#chain = new AuditChain(file, log);
  }

  /** Runs a request; its outcome is on record before its answer leaves. */
  async around<T>(
    method: string,
    params: object,
    client: AuditedClient | undefined,
    run: () => Promise<T> | T,
  ): Promise<T> {
    if (!isAudited(method, params)) return run();
    const asked = {
      event: method,
      user: this.#user,
      client: client?.kind,
      clientPid: client?.pid,
      by: client?.by,
      ...auditedParams(params),
    };
    try {
      const result = await run();
      await this.#chain.append({ ...asked, ...auditedResult(method, result), outcome: "ok" });
      return result;
    } catch (error) {
      const reason = error instanceof FuncError ? error.reason : "internal";
      const problem = messageOf(error).slice(0, MAX_REASON);
      await this.#chain.append({ ...asked, outcome: `failed: ${reason}`, problem });
      throw error;
    }
  }

  /** Tells of the end of a job once it comes. */
  follow(job: Job): void {
    const tell = (): void => {
      const { id, module, method, counts, cancelRequested } = job.summary({ whole: false });
      const event = "job/ended";
      void this.#chain.append({ event, jobId: id, module, method, counts, cancelRequested });
    };
    if (job.finished) tell();
    else job.onFinished(tell);
  }

  /** Tells of a host that was turned away. */
  refused(refusal: Refusal): void {
    const { from, name, reason } = refusal;
    const told = { from, name, reason: reason.slice(0, MAX_REASON) };
    void this.#chain.append({ event: "certmaster/refused", ...told, outcome: "denied" });
  }

  /** Tells of something that no client asked for. */
  note(event: string, fields: object): void {
    void this.#chain.append({ ...auditedParams(fields), event });
  }

  async read(range: AuditRange): Promise<AuditRecord[]> {
    await this.#chain.flush();
    try {
      return await readAudit(this.#file, range);
    } catch (error) {
      const problem = `${this.#file} cannot be read: ${messageOf(error)}`;
      throw new FuncError("bad-data", problem, "Move what stands in its place away.");
    }
  }

  async verify(): Promise<ChainReport> {
    await this.#chain.flush();
    return verifyAudit(this.#file);
  }

  /** Settles once all is written. */
  close(): Promise<void> {
    return this.#chain.flush();
  }
}

/** Everybody who can reach the overlord's socket is this user. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? "");
  }
}
