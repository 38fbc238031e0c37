import { hostname } from "node:os";
import type { MethodDirectory } from "../calls/methodDirectory";
import { FuncError } from "../common/errors";
import type { CallRunner } from "../jobs/callRunner";
import { followedJob } from "../jobs/followedJob";
import type { JobRegistry } from "../jobs/jobRegistry";
import { JobSearch } from "../jobs/jobSearch";
import { jobStatus } from "../jobs/jobStatus";
import type { OutputFiles } from "../jobs/outputFiles";
import type { JobStore } from "../jobs/store/storeTypes";
import type { ValueKeeper } from "../jobs/valueKeeper";
import type { Certmaster } from "../pki/certmaster/certmaster";
import type { EnrolledMinion } from "../pki/certmaster/certmasterIssuing";
import type { Triggers } from "../pki/certmaster/triggers";
import { backUp } from "../pki/backup/dataBackup";
import type { OverlordStatus } from "../protocol/overlord";
import type { OverlordRequests } from "../protocol/requests";
import { findTargets } from "../targets/findTargets";
import { editGroup, listGroups } from "../targets/groups";
import type { GroupsFile } from "../targets/groupsFile";
import type { Inventory } from "../targets/inventory";
import type { CaRotation } from "./caRotation";
import { certmasterHandlers } from "./certmasterHandlers";
import type { ClientFeed } from "./clientFeed";
import type { AuditedClient, OverlordAudit } from "./overlordAudit";
import type { OverlordConfiguration } from "./overlordConfiguration";
import type { FleetCredentials } from "./fleetCredentials";
import type { Renewals } from "./renewals";
import { isRequestName, parseParams } from "./requestSchemas";
import { removeTriggered } from "./triggered";
import type { OutputFollows } from "./outputFollows";
import type { RevocationPusher } from "./revocationPusher";
import { forgetRequest } from "./revoking";

/** The parts that requests are answered from. */
export interface OverlordParts {
  version: string;
  dataDirectory: string;
  startedAtMs: number;
  configuration: OverlordConfiguration;
  inventory: Inventory;
  groups: GroupsFile;
  credentials: FleetCredentials;
  certmaster: Certmaster;
  triggers: Triggers;
  jobs: JobRegistry;
  store: JobStore;
  outputs: OutputFiles;
  keeper: ValueKeeper;
  follows: OutputFollows;
  runner: CallRunner;
  methods: MethodDirectory;
  /** Brings the revocation list to the minions. */
  pusher: RevocationPusher;
  /** Replaces the CA. */
  rotation: CaRotation;
  audit: OverlordAudit;
  renewals: Renewals;
  /** What `certmaster/list` tells is different: clients are told. */
  certmasterChanged(): void;
  clients(): number;
  /** Puts a minion that has a certificate into the inventory; durable when it returns. */
  addMinion(minion: EnrolledMinion): Promise<void>;
  /** Begins to end the overlord; returns at once. */
  stop(): void;
}

const LARGE: ReadonlySet<string> = new Set<keyof OverlordRequests>([
  "outputs/read",
  "jobs/results",
  "audit/read",
]);

export type Handler<M extends keyof OverlordRequests> = (
  params: OverlordRequests[M]["params"],
  feed: ClientFeed,
  signal: AbortSignal,
) => Promise<OverlordRequests[M]["result"]> | OverlordRequests[M]["result"];

export type Handlers = { [M in keyof OverlordRequests]: Handler<M> };

/** The overlord's JSON-RPC service: the name of a request to what it does. */
export class OverlordService {
  private readonly handlers: Handlers;

  constructor(private readonly parts: OverlordParts) {
    this.handlers = handlersOf(parts);
  }

  has(method: string): boolean {
    return isRequestName(method);
  }

  /** True where one answer may be so large that a client should not have many of them coming. */
  answersLarge(method: string): boolean {
    return LARGE.has(method);
  }

  /** Runs one request. Throws FuncError, "bad-argument" where the params are wrong. */
  async run(
    method: string,
    params: unknown,
    feed: ClientFeed,
    signal: AbortSignal,
    client?: AuditedClient,
  ): Promise<unknown> {
    if (!isRequestName(method)) throw new FuncError("bad-argument", `There is no ${method}.`);
    return this.runNamed(method, params, feed, signal, client);
  }

  private async runNamed<M extends keyof OverlordRequests>(
    method: M,
    params: unknown,
    feed: ClientFeed,
    signal: AbortSignal,
    client: AuditedClient | undefined,
  ): Promise<OverlordRequests[M]["result"]> {
    const handler: Handler<M> = this.handlers[method];
    const checked = parseParams(method, params);
    return this.parts.audit.around(method, checked, client, () => handler(checked, feed, signal));
  }
}

function handlersOf(parts: OverlordParts): Handlers {
  const { inventory, groups, jobs, runner, methods, credentials, outputs } = parts;
  const search = new JobSearch(outputs);
  return {
    "overlord/status": () => statusOf(parts),
    "overlord/stop": ({ force }) => {
      const running = jobs.running().length;
      if (running > 0 && !force) {
        throw new FuncError(
          "conflict",
          `${running} ${running === 1 ? "job runs" : "jobs run"}: stopping would lose the results.`,
          "Wait until they have finished, or stop with force.",
        );
      }
      parts.stop();
      return { stopping: true };
    },

    "overlord/backup": (params) =>
      parts.rotation.between(() =>
        backUp(parts.dataDirectory, credentials.existingAuthority()?.fingerprint, params),
      ),

    "minions/list": () => inventory.list(),
    "minions/match": async (targets) => {
      const minions = await findTargets(targets, inventory, groups);
      return { spec: targets.spec, names: minions.map(({ name }) => name) };
    },
    "minions/edit": ({ name, ...change }) => inventory.edit(name, change),
    "minions/forget": ({ names }) => {
      const known = names.flatMap((name) => inventory.find(name)?.name ?? []);
      return removeTriggered(parts.triggers, known, () => forgetRequest(parts, names));
    },
    "minions/describe": async (targets, _feed, signal) =>
      methods.describe(await findTargets(targets, inventory, groups), signal),

    "groups/list": () => listGroups(groups),
    "groups/edit": async (params) => {
      await editGroup(groups, params);
      return listGroups(groups);
    },

    "calls/start": async (params, feed) => {
      const job = runner.start(params, await findTargets(params, inventory, groups));
      parts.audit.follow(job);
      feed.watch(job);
      return job.summary();
    },

    "jobs/list": ({ limit = 100 }) => ({
      jobs: jobs
        .list()
        .filter((job) => !job.isBackground)
        .slice(0, limit)
        .map((job) => job.summary({ whole: false })),
    }),
    "jobs/call": notYet,
    "jobs/retry": notYet,
    "jobs/delete": notYet,
    "jobs/history": notYet,
    "jobs/attempts": notYet,
    "jobs/searchAll": notYet,
    "jobs/follow": ({ jobId, ...request }, feed) => {
      parts.follows.follow(feed, followedJob(jobs.get(jobId)), request);
      return {};
    },
    "jobs/unfollow": ({ jobId }, feed) => {
      parts.follows.unfollow(feed, jobId);
      return {};
    },
    "jobs/results": ({ jobId, from, limit }) => ({ results: jobs.get(jobId).page(from, limit) }),
    "jobs/watch": ({ jobId, limit }, feed) => {
      const job = jobs.get(jobId);
      const snapshot = job.snapshot(limit);
      feed.watch(job);
      return snapshot;
    },
    "jobs/unwatch": ({ jobId }, feed) => {
      feed.unwatch(jobId);
      return {};
    },
    "jobs/status": ({ jobId }) => jobStatus(jobs.find(jobId), parts.keeper),
    "jobs/result": ({ jobId, minion }) => jobs.get(jobId).result(minion),
    "jobs/search": ({ jobId, ...wanted }, _feed, signal) =>
      search.search(jobs.get(jobId), wanted, signal),
    "outputs/read": async ({ sha256, offset, length }) => {
      const { bytes, total } = await outputs.read(sha256, offset, length);
      return { base64: bytes.toString("base64"), bytes: total };
    },
    "jobs/cancel": ({ jobId }) => {
      const job = jobs.get(jobId);
      job.cancel();
      return job.summary();
    },

    ...certmasterHandlers(parts),

    "audit/read": async (range) => ({ records: await parts.audit.read(range) }),
    "audit/verify": () => parts.audit.verify(),
  };
}

function notYet(): never {
  throw new FuncError("unavailable", "The overlord cannot do that yet.");
}

async function statusOf(parts: OverlordParts): Promise<OverlordStatus> {
  return {
    version: parts.version,
    pid: process.pid,
    host: hostname(),
    dataDirectory: parts.dataDirectory,
    startedAtMs: parts.startedAtMs,
    clients: parts.clients(),
    minions: parts.inventory.size,
    runningJobs: parts.jobs.running().length,
    openTokens: parts.certmaster.tokens().length,
    certmasterListening: parts.certmaster.listening(),
    nforks: parts.configuration.nforks,
    timeoutMs: parts.configuration.timeoutMs,
    outputBytes: parts.outputs.bytes,
    jobStore: await parts.store.usage(),
  };
}
