import { hostname } from "node:os";
import type { MethodDirectory } from "../calls/methodDirectory";
import type { MinionCaller } from "../calls/minionCaller";
import { FuncError } from "../common/errors";
import type { MapBuilder } from "../delegation/buildMap";
import type { DelegationMaps } from "../delegation/delegationMaps";
import type { CallRunner } from "../jobs/engine/callRunner";
import type { Job } from "../jobs/job";
import type { JobArchive } from "../jobs/jobArchive";
import type { JobRegistry } from "../jobs/jobRegistry";
import type { OutputFiles } from "../jobs/outputs/outputFiles";
import type { JobStore } from "../jobs/store/storeTypes";
import type { ValueKeeper } from "../jobs/outputs/valueKeeper";
import type { Certmaster } from "../pki/certmaster/certmaster";
import type { EnrolledMinion } from "../pki/certmaster/certmasterIssuing";
import type { Triggers } from "../pki/certmaster/triggers";
import { backUp } from "../pki/backup/dataBackup";
import type { OverlordStatus } from "../protocol/overlord";
import type { OverlordRequests } from "../protocol/requests";
import { editGroup, listGroups } from "../targets/groups";
import type { GroupsFile } from "../targets/groupsFile";
import type { Inventory } from "../targets/inventory";
import type { CaRotation } from "./caRotation";
import { certmasterHandlers } from "./certmasterHandlers";
import { delegationHandlers } from "./delegationHandlers";
import { jobHandlers } from "./jobHandlers";
import { mapHandlers } from "./mapHandlers";
import { subOverlordHandlers } from "./subOverlordHandlers";
import { targetHandlers } from "./targetHandlers";
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
  archive: JobArchive;
  store: JobStore;
  outputs: OutputFiles;
  keeper: ValueKeeper;
  follows: OutputFollows;
  caller: MinionCaller;
  runner: CallRunner;
  methods: MethodDirectory;
  /** Brings the revocation list to the minions. */
  pusher: RevocationPusher;
  /** Replaces the CA. */
  rotation: CaRotation;
  maps: DelegationMaps;
  mapBuilder: MapBuilder;
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
  "map/read",
  "delegation/readValue",
]);

export type Handler<M extends keyof OverlordRequests> = (
  params: OverlordRequests[M]["params"],
  feed: ClientFeed,
  signal: AbortSignal,
  client?: AuditedClient,
) => Promise<OverlordRequests[M]["result"]> | OverlordRequests[M]["result"];

export type Handlers = { [M in keyof OverlordRequests]: Handler<M> };

/** The overlord's JSON-RPC service: the name of a request to what it does. */
export class OverlordService {
  private readonly handlers: Handlers;

  constructor(private readonly parts: OverlordParts) {
    this.handlers = handlersOf(parts, this.run.bind(this));
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
    return this.parts.audit.around(method, checked, client, () =>
      handler(checked, feed, signal, client),
    );
  }
}

function handlersOf(parts: OverlordParts, run: OverlordService["run"]): Handlers {
  const { inventory, groups, jobs, credentials } = parts;
  return {
    "overlord/status": () => statusOf(parts),
    "overlord/stop": ({ force }) => {
      if (!force) refuseToStop(jobs.running());
      parts.stop();
      return { stopping: true };
    },

    "overlord/backup": (params) =>
      parts.rotation.between(() =>
        backUp(parts.dataDirectory, credentials.existingAuthority()?.fingerprint, params),
      ),

    "minions/list": () => inventory.list(),
    "minions/edit": ({ name, ...change }) => inventory.edit(name, change),
    "minions/forget": ({ names }) => {
      const known = names.flatMap((name) => inventory.find(name)?.name ?? []);
      return removeTriggered(parts.triggers, known, () => forgetRequest(parts, names));
    },
    "groups/list": () => listGroups(groups),
    "groups/edit": async (params) => {
      await editGroup(groups, params);
      return listGroups(groups);
    },

    ...targetHandlers(parts),
    ...jobHandlers(parts),
    ...certmasterHandlers(parts),
    ...mapHandlers(parts),
    ...delegationHandlers(parts),
    ...subOverlordHandlers(parts, run),

    "audit/read": async (range) => ({ records: await parts.audit.read(range) }),
    "audit/verify": () => parts.audit.verify(),
  };
}

/** Throws FuncError "conflict" where jobs run. */
function refuseToStop(running: readonly Job[]): void {
  if (running.length === 0) return;
  const lost = running.filter(({ isAsync }) => !isAsync).length;
  const going = running.length - lost;
  const parts = [
    ...(lost > 0
      ? [`${lost} would be ended, and ${lost === 1 ? "its" : "their"} results lost`]
      : []),
    ...(going > 0
      ? [`${going} async would go on on the minions, for the next overlord to collect`]
      : []),
  ];
  throw new FuncError(
    "conflict",
    `${running.length} ${running.length === 1 ? "job runs" : "jobs run"}: ${parts.join("; ")}.`,
    "Wait until they have finished, or stop with force.",
  );
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
