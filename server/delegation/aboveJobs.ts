import { createHash, randomBytes } from "node:crypto";
import { FuncError } from "../common/errors";
import type { CallRunner } from "../jobs/engine/callRunner";
import type { Job } from "../jobs/job";
import type { JobArchive } from "../jobs/jobArchive";
import type { AboveTarget, JobRecord, JobStore } from "../jobs/store/storeTypes";
import type { StoredJob } from "../jobs/storedJob";
import { readSignedCall } from "../pki/documents/delegatedCall";
import type { DelegatedRequest, PlainDelegatedRequest } from "../protocol/delegation";
import type { Inventory } from "../targets/inventory";
import { divideTargets } from "./aboveTargets";
import { nameKey } from "./delegationMap";
import { startOfId, type Start } from "./idOfStart";

/** Jobs whose records are at hand. */
const MAX_RECORDS = 50;
/** Starts that were cancelled before they came. */
const MAX_REFUSED = 1_000;
const SIGNED_PREFIX = "delegated-";
const PLAIN_PREFIX = "delegated_run-";

export interface AboveParts {
  archive: JobArchive;
  store: JobStore;
  runner: CallRunner;
  inventory: Inventory;
}

/** A job that somebody above has asked for. */
export interface AboveJob extends AboveRecord {
  job: Job | StoredJob;
}

interface AboveRecord {
  record: JobRecord;
  /** By the names of the job's minions, those that they have for the overlord directly above each. */
  leaves: ReadonlyMap<string, string>;
}

/** What became of a request from above. */
export interface StartedAbove {
  jobId: string;
  /** Where it began just now. */
  begun?: { job: Job; originator: string };
}

/** The jobs of this overlord that overlords above ask for, through its funcd. */
export class AboveJobs {
  /** Until the job is on record. */
  readonly #starting = new Map<string, Promise<StartedAbove>>();
  /** Least lately used first. */
  readonly #records = new Map<string, AboveRecord>();
  /** Jobs that must not begin any more, oldest first. */
  readonly #refused = new Set<string>();

  constructor(private readonly parts: AboveParts) {}

  /**
   * The job of a signed call, under an id that follows from who asked and the call id of the first host: a repeat finds
   * the same, also where it has finished. Throws FuncError "denied", "bad-data" for a call that is not signed,
   * "bad-argument", "unavailable", "conflict" for one that was cancelled before it came.
   */
  async start(request: DelegatedRequest, by: string): Promise<StartedAbove> {
    const { method } = readSignedCall(request.call);
    const jobId = signedJobId({ method, callId: request.targets[0]?.callId ?? "" }, by);
    if (this.#refused.has(jobId)) {
      throw new FuncError("conflict", `${by} has cancelled this call before it began.`);
    }
    const starting =
      this.#starting.get(jobId) ??
      this.#startOnce(jobId, request, by).finally(() => this.#starting.delete(jobId));
    this.#starting.set(jobId, starting);
    return starting;
  }

  /** A new job, in this overlord's own name. Throws as `start` does. */
  async run(request: PlainDelegatedRequest, by: string): Promise<StartedAbove> {
    const { module, method, args, async: isAsync, nforks, timeoutMs } = request;
    const paths = new Map(request.paths.map((path) => [path.map(nameKey).join("\n"), path]));
    const targets = [...paths.values()].map((path) => ({ path }));
    const { minions, behind } = divideTargets(targets, this.parts.inventory);
    const nonce = randomBytes(12).toString("hex");
    const jobId = `${PLAIN_PREFIX}${module}.${method}-${nonce}-${hashOf(by, nonce)}`;
    const spec = [...minions, ...behind].map(({ name }) => name).join(";");
    const call = { spec, module, method, args, async: isAsync, nforks };
    const job = await this.parts.runner.start(
      { ...call, ...(timeoutMs !== undefined && { timeoutMs }) },
      minions,
      { startedBy: "overlord", behind, jobId },
    );
    return { jobId, begun: { job, originator: by } };
  }

  /**
   * As `find`; undefined for the start of a job that has not come so far: it is taken no more, while this process
   * remembers it.
   */
  async findToCancel(id: string, by: string): Promise<AboveJob | undefined> {
    const start = startOfId(id);
    if (!start) return this.find(id, by);
    const jobId = signedJobId(start, by);
    await this.#starting.get(jobId)?.catch(() => undefined);
    if (await this.parts.archive.find(jobId)) return this.find(jobId, by);
    this.#refused.add(jobId);
    const [oldest] = this.#refused;
    if (oldest !== undefined && this.#refused.size > MAX_REFUSED) this.#refused.delete(oldest);
    return undefined;
  }

  /** `id` may be that of a start (`idOfStart`). Throws FuncError "not-found" where there is no such job of this asker. */
  async find(id: string, by: string): Promise<AboveJob> {
    const start = startOfId(id);
    const jobId = start ? signedJobId(start, by) : id;
    const known = await this.#record(jobId);
    if (known && isAskedBy(known.record, by)) {
      const job = await this.parts.archive.find(jobId);
      if (job) return { job, ...known };
    }
    throw new FuncError(
      "not-found",
      `There is no job "${jobId.slice(0, 200)}" that ${by} has asked for here.`,
    );
  }

  async #startOnce(jobId: string, request: DelegatedRequest, by: string): Promise<StartedAbove> {
    const { archive, runner, inventory } = this.parts;
    if (await archive.find(jobId)) return { jobId };
    const { call, spec, nforks, timeoutMs, deliveryLimitMs, maxErrors } = request;
    const { keepPlaces = false, secret, childrenFirst } = request;
    const { originator, method: fullName, args, async: isAsync } = readSignedCall(call);
    const dot = fullName.lastIndexOf(".");
    const { minions, behind, targets } = divideTargets(request.targets, inventory);
    const above: Record<string, AboveTarget> = Object.create(null) as Record<string, AboveTarget>;
    for (const [name, { callId, identity, proof }] of targets) {
      above[name] = { callId, proof, ...(identity !== undefined && { identity }) };
    }
    const job = await runner.start(
      {
        spec,
        module: fullName.slice(0, Math.max(0, dot)),
        method: fullName.slice(dot + 1),
        args,
        async: isAsync,
        nforks,
        ...(timeoutMs !== undefined && { timeoutMs }),
        ...(deliveryLimitMs !== undefined && { deliveryLimitMs }),
        ...(maxErrors !== undefined && { maxErrors }),
      },
      minions,
      {
        startedBy: "overlord",
        behind,
        jobId,
        above: { originator, by, call, targets: above },
        keepPlaces,
        ...(secret && { secret }),
        ...(childrenFirst && { childrenFirst }),
      },
    );
    return { jobId, begun: { job, originator } };
  }

  async #record(jobId: string): Promise<AboveRecord | undefined> {
    const known = this.#records.get(jobId) ?? (await this.#read(jobId));
    if (!known) return undefined;
    this.#records.delete(jobId);
    this.#records.set(jobId, known);
    const [oldest] = this.#records.keys();
    if (oldest !== undefined && this.#records.size > MAX_RECORDS) this.#records.delete(oldest);
    return known;
  }

  async #read(jobId: string): Promise<AboveRecord | undefined> {
    const record = await this.parts.store.record(jobId);
    if (!record) return undefined;
    const leaves = record.minions.map(({ name, path }) => [name, path?.at(-1) ?? name] as const);
    return { record, leaves: new Map(leaves) };
  }
}

function signedJobId({ method, callId }: Start, by: string): string {
  return `${SIGNED_PREFIX}${method}-${hashOf(by, callId)}`;
}

/** An id without a signed call shows by itself who got it. */
function isAskedBy({ id, above }: JobRecord, by: string): boolean {
  if (above) return above.by === by;
  const [nonce = "", hash] = id.split("-").slice(-2);
  return id.startsWith(PLAIN_PREFIX) && hash === hashOf(by, nonce);
}

/** 32 characters without "-". */
function hashOf(by: string, id: string): string {
  const hash = createHash("sha256").update(JSON.stringify([by, id]));
  return hash.digest("hex").slice(0, 32);
}
