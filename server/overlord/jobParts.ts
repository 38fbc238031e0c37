import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import type { MethodDirectory } from "../calls/methodDirectory";
import type { MinionCaller } from "../calls/minionCaller";
import type { SeenMinions } from "../calls/seenMinions";
import type { Log } from "../common/log";
import type { DelegationMaps } from "../delegation/delegationMaps";
import { HopCalls } from "../delegation/hopCalls";
import type { Originator } from "../delegation/signedTargets";
import { CallRunner } from "../jobs/engine/callRunner";
import type { Job } from "../jobs/job";
import { JobArchive } from "../jobs/jobArchive";
import { JobRegistry } from "../jobs/jobRegistry";
import { ValueKeeper } from "../jobs/outputs/valueKeeper";
import { openOriginatorKey, originatorName } from "../pki/authority/originatorKey";
import type { ClientFeed } from "./clientFeed";
import { overlordName } from "./fleetCredentials";
import type { OverlordData } from "./overlordData";

/** What jobs are made with. */
export interface JobContext extends OverlordData {
  caller: MinionCaller;
  seen: SeenMinions;
  methods: MethodDirectory;
  maps: DelegationMaps;
  dataDirectory: string;
  /** Tells all clients. */
  tell: (change: (feed: ClientFeed) => void) => void;
  /** Told of each job of an earlier process that goes on here. */
  onResumed: (job: Job) => void;
  log: Log;
}

/** Everything that has to do with jobs. */
export interface JobParts {
  jobs: JobRegistry;
  archive: JobArchive;
  keeper: ValueKeeper;
  runner: CallRunner;
}

export function makeJobParts(context: JobContext): JobParts {
  const { outputs, store, configuration, dataDirectory, tell, ...rest } = context;
  const jobs = new JobRegistry(outputs);
  const keeper = new ValueKeeper(outputs, () => jobs.valueBytes());
  jobs.onChanged((job) => {
    tell((feed) => {
      feed.jobChanged(job);
    });
  });
  const archive = new JobArchive(jobs, store, outputs, (jobIds) => {
    tell((feed) => {
      feed.jobsRemoved(jobIds);
    });
  });
  let key: Promise<KeyObject> | undefined;
  const originator = async (): Promise<Originator> => {
    key ??= openOriginatorKey(join(dataDirectory, "credentials"));
    key.catch(() => (key = undefined)); // somebody may mend it
    const opened = await key;
    return { name: originatorName(overlordName(), opened), key: opened };
  };
  const hops = new HopCalls({ ...rest, outputs, originator });
  const onResumed = (job: Job): void => {
    context.onResumed(job);
    tell((feed) => {
      feed.resumed(job);
    });
  };
  const defaults = configuration;
  const runner = new CallRunner({ ...rest, onResumed, jobs, store, keeper, hops, defaults });
  return { jobs, archive, keeper, runner };
}
