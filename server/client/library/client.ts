/** The package's programming interface, `func-overlord/client`: all that dist/client.js exports. */
export { FuncError, type ErrorReason } from "../../common/errors";
export {
  JOB_ID_FINISHED,
  JOB_ID_LOST_IN_SPACE,
  JOB_ID_PARTIAL,
  JOB_ID_RUNNING,
  type BatchPlan,
  type JobCode,
} from "../../protocol/jobs";
export { Output, type ReadOptions } from "./output";
export { Client, Overlord } from "./overlord";
export { REMOTE_ERROR, RemoteError } from "./remoteError";
export { textOf, type Argument, type Value } from "./values";
export type { RemoteMethod, RemoteName } from "./modules";
export type {
  FinalState,
  JobStatus,
  KnownModules,
  LogTail,
  MinionOutcome,
  Modules,
  OverlordConstructor,
  OverlordMethods,
  OverlordOptions,
  Progress,
  RequestOptions,
  Result,
  Results,
} from "./overlordTypes";
