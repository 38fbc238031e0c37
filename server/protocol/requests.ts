import type { AuditRange, AuditRecord } from "../common/auditRead";
import type { ChainReport } from "../common/auditVerify";
import type {
  AcceptedMinion,
  AdmitParams,
  CertmasterList,
  CreateTokenParams,
  ImportAuthorityParams,
  InspectedMinion,
  JoinToken,
  MinionPlace,
  RenewParams,
  RenewResult,
  RevokeParams,
  RevokeResult,
  RotateParams,
  SignedCertificate,
  SignParams,
} from "./certmaster";
import type {
  BuildMapParams,
  DelegatedProgress,
  DelegatedRequest,
  DelegationMapAnswer,
  MapBuilding,
  MapBuildResult,
  MapNodeState,
  MapProblem,
  PlainDelegatedRequest,
  RequestAt,
} from "./delegation";
import type { EditGroupParams, GroupRecord } from "./groups";
import type {
  BatchPlan,
  JobCode,
  JobHistoryEvent,
  JobOutput,
  JobPage,
  JobProgress,
  JobQuery,
  JobsChanged,
  JobSummary,
  MinionResult,
  OutputOffsets,
} from "./jobs";
import type { ModuleDescription } from "./methods";
import type { MinionRecord, MinionsChanged, TargetMatch } from "./minions";
import type { SearchMatch } from "./outputs";
import type { BackupParams, BackupResult, OverlordStatus } from "./overlord";
import type { JsonValue } from "./value";

export interface StartCallParams {
  /** Target expression: names, globs, "@group" and "@group:glob", separated by ";". */
  spec: string;
  /** Target expression of the minions that are left out. */
  exclude?: string;
  module: string;
  method: string;
  args: JsonValue[];
  async?: boolean;
  /** How many minions are called at the same time; default from overlord.yaml. */
  nforks?: number;
  /** Time limit on each minion, for the run; default from overlord.yaml. */
  timeoutMs?: number;
  /**
   * Of async calls: how long to go on trying to deliver the start to a minion that is away; without it there is
   * one try with the limits of overlord.yaml.
   */
  deliveryLimitMs?: number;
  batch?: BatchPlan;
  /** With more failures than this no more minions are called. */
  maxErrors?: number;
  /** Nobody asked for it by name, so that lists of jobs leave it out (`JobSummary.background`). */
  background?: boolean;
  /** Minions behind sub-overlords too, by the delegation map. */
  delegate?: boolean;
  /** Another map than `<data>/map`: an absolute path on the overlord's machine. */
  mapFile?: string;
}

/** Which minions are meant. */
export type TargetParams = Pick<StartCallParams, "spec" | "exclude" | "delegate" | "mapFile">;

/**
 * Every request of the overlord's JSON-RPC service, by name. `initialize`, `initialized`, `shutdown` and
 * `exit` are the Language Server Protocol's, with ClientHello and OverlordHello (overlord.ts).
 * A failure is a ResponseError whose `data` is an ErrorData.
 */
export interface OverlordRequests {
  "overlord/status": { params: object; result: OverlordStatus };
  /** Ends the overlord. Refused with reason "conflict" while jobs run, unless `force`. */
  "overlord/stop": { params: { force?: boolean }; result: { stopping: true } };

  /** Writes the CA, the inventory and all else that is not to be lost into one file. */
  "overlord/backup": { params: BackupParams; result: BackupResult };

  "minions/list": { params: object; result: MinionRecord[] };
  /** Throws "no-match" where any part matches nothing, with the nearest names in the message. */
  "minions/match": { params: TargetParams; result: TargetMatch };
  "minions/edit": {
    params: { name: string; address?: string; port?: number };
    result: MinionRecord;
  };
  /** Takes minions out of the inventory. */
  "minions/forget": { params: { names: string[] }; result: { forgotten: string[] } };
  /**
   * Modules and methods that the first answering minion of the expression has (cached per minion). Of hosts behind
   * sub-overlords where none is this overlord's own; `insteadOf`: none of them could be asked, so these are the hop's.
   */
  "minions/describe": {
    params: TargetParams;
    result: {
      minion: string;
      modules: ModuleDescription[];
      insteadOf?: { minion: string; problem: string };
    };
  };

  /** Sorted by name. */
  "groups/list": { params: object; result: GroupRecord[] };
  /** Gives the list as it is then. */
  "groups/edit": { params: EditGroupParams; result: GroupRecord[] };

  /** Starts a call and subscribes this client to its `jobs/progress`, which may come before the answer. */
  "calls/start": { params: StartCallParams; result: JobSummary };

  /** Jobs, newest first, those of the background left out; at most `limit`, 100 without. */
  "jobs/list": { params: JobQuery & { limit?: number; cursor?: string }; result: JobPage };
  /** What the job was started with, to start it again. Fails with "unavailable" where arguments were secret. */
  "jobs/call": { params: { jobId: string }; result: StartCallParams };
  /**
   * Calls those again that have no result, as a new attempt of the same job: of `minions`, or else all that
   * failed. "lost" ones may have run and are only called where they are named.
   */
  "jobs/retry": { params: { jobId: string; minions?: string[] }; result: JobSummary };
  /** Forgets finished jobs with all that they have. Running ones are refused by name with "conflict". */
  "jobs/delete": { params: { jobIds: string[] }; result: { deleted: string[] } };
  /** All that happened, from place `from`; at most `limit`. */
  "jobs/history": {
    params: { jobId: string; from: number; limit: number };
    result: { events: JobHistoryEvent[]; total: number };
  };
  /** All results that one minion gave, oldest attempt first. */
  "jobs/attempts": {
    params: { jobId: string; minion: string };
    result: { results: MinionResult[] };
  };
  /**
   * Results that contain `text` in the jobs of the query, newest job first, a slice at a time like `jobs/search`.
   * `searched` counts jobs.
   */
  "jobs/searchAll": {
    params: { text: string; matchCase?: boolean; query?: JobQuery; cursor?: string };
    result: {
      matches: { jobId: string; minion: string; line: string }[];
      searched: number;
      next?: string;
    };
  };
  /**
   * Sends this client what the job's commands write, as `jobs/output`, from the offsets that it names (from the
   * beginning without), until they end. Once more replaces minions and offsets.
   */
  "jobs/follow": {
    params: { jobId: string; minions?: string[]; offsets?: { [minion: string]: OutputOffsets } };
    result: object;
  };
  "jobs/unfollow": { params: { jobId: string }; result: object };
  /** Summary and results as they stand, with `seq` of the last progress they include; subscribes this client. */
  "jobs/watch": {
    /** `limit`: at most so many results, those of the first minions; `jobs/results` has the others. */
    params: { jobId: string; limit?: number };
    result: JobProgress;
  };
  /**
   * The results of `limit` minions as they stand now, from place `from` in the job's order, counted from 0; with
   * `minion` (as in `JobQuery`) only those of them that it means.
   */
  "jobs/results": {
    params: { jobId: string; from: number; limit: number; minion?: string };
    result: { results: MinionResult[] };
  };
  "jobs/unwatch": { params: { jobId: string }; result: object };
  /**
   * The seed's (code, results); results is null where the code is 0 or 2. An error is the REMOTE_ERROR
   * array. What is too large for a message is `{"$output": OutputRef}` in a result, or is the result.
   */
  "jobs/status": {
    params: { jobId: string };
    result: { code: JobCode; results: { [minion: string]: JsonValue } | null };
  };
  /** One minion's result, whole but for its outputs: `{"$output": OutputRef}` in its value, or as its value. */
  "jobs/result": { params: { jobId: string; minion: string }; result: MinionResult };
  /**
   * The minions of a job whose results contain `text`, in the job's order: in texts and names inside
   * values, in outputs, in messages of errors. Upper and lower case are alike unless `matchCase`. One
   * answer searches for a fraction of a second; `next` is the cursor to go on from, absent once all
   * results were searched. `searched` counts the minions that are done since the first request.
   */
  "jobs/search": {
    params: { jobId: string; text: string; matchCase?: boolean; cursor?: string };
    result: { matches: SearchMatch[]; searched: number; total: number; next?: string };
  };
  /**
   * A range of an output; fewer bytes than asked for only at its end. `bytes` is the size of the whole
   * output. Fails with "not-found" once the last job that has it was forgotten.
   */
  "outputs/read": {
    params: { sha256: string; offset: number; length: number };
    result: { base64: string; bytes: number };
  };
  /**
   * Of a job that has ended, what it left running beyond its limit, or out of sight, is stopped: on `stopped` minions,
   * absent for none.
   */
  "jobs/cancel": { params: { jobId: string }; result: JobSummary & { stopped?: number } };

  /** Makes the CA where there is none yet, and opens the certmaster's listener. */
  "certmaster/createToken": { params: CreateTokenParams; result: JoinToken };
  "certmaster/list": { params: object; result: CertmasterList };
  /** Takes a token back before it is used. */
  "certmaster/closeToken": { params: { id: string }; result: CertmasterList };
  /** Takes certificate requests, which then wait for approval, for so long; 0 ends it. */
  "certmaster/setApproval": { params: { forMs: number }; result: CertmasterList };
  /** `keyFingerprint`: what was compared with the host. Fails with "conflict" where the request is another by now. */
  "certmaster/approve": {
    params: { name: string; keyFingerprint: string };
    result: CertmasterList;
  };
  "certmaster/deny": { params: { name: string; keyFingerprint: string }; result: CertmasterList };
  /** Signs a request that came by hand, or by SSH. */
  "certmaster/sign": { params: SignParams; result: SignedCertificate };
  /**
   * Puts a minion that has a certificate into the inventory, or changes its address, once it has answered there on
   * this key. Changes nothing where it fails.
   */
  "certmaster/admit": { params: AdmitParams; result: MinionRecord };
  /** Gives minions new keys and certificates now; the overlord does so by itself when they are due. */
  "certmaster/renew": { params: RenewParams; result: RenewResult };
  /**
   * Encrypts the CA's key with `next`; an empty one takes the passphrase away. `old`: the present one, if there
   * is one, also while the CA is unlocked. Fails with "denied" where it is wrong.
   */
  "certmaster/setPassphrase": { params: { old?: string; next: string }; result: CertmasterList };
  /** Until the overlord ends. Fails with "denied" for a wrong passphrase, and then "unavailable" for a while. */
  "certmaster/unlock": { params: { passphrase: string }; result: CertmasterList };
  /** Makes an existing CA this overlord's. Fails with "conflict" where there is one, or any minion. */
  "certmaster/importAuthority": { params: ImportAuthorityParams; result: CertmasterList };
  /**
   * Looks at a host with a certificate of the original, which has but a common name. Fails with "wrong-identity"
   * where that is none of this CA's, or of another name.
   */
  "certmaster/inspect": { params: MinionPlace; result: InspectedMinion };
  /** Takes it among the minions, where it still has the key that was compared. */
  "certmaster/accept": {
    params: MinionPlace & { keyFingerprint: string };
    result: AcceptedMinion;
  };
  "certmaster/revoke": { params: RevokeParams; result: RevokeResult };
  /**
   * Replaces the CA, while both are trusted. Fails with "conflict" where "finish" would lose minions that are not
   * among `without`, or where "abort" comes too late; "unavailable" while the CA is locked.
   */
  "certmaster/rotate": { params: RotateParams; result: CertmasterList };
  /** PEM of the X.509 revocation list, for other tools. */
  "certmaster/crl": { params: object; result: { pem: string } };

  /** Throws "not-found" where there is no map, "bad-data" with its place where it cannot be read. */
  "map/read": { params: { mapFile?: string }; result: DelegationMapAnswer };
  /**
   * The shortest call path to each of the names, itself last; null where the map does not have it. `strangers`: hosts
   * at the beginning of one that are no minions of this overlord, so that nobody is called over them. `problem`: why the
   * last good map is in use.
   */
  "map/paths": {
    params: { names: string[]; mapFile?: string };
    result: { paths: (string[] | null)[]; strangers?: string[]; problem?: string };
  };
  /** What is wrong with a text, or without one with the map's file, in the order of the file; at most 200. */
  "map/validate": {
    params: { text?: string; mapFile?: string };
    result: { file: string; problems: MapProblem[] };
  };
  /** Asks all minions, and sub-overlords for theirs, and writes `<data>/map`. */
  "map/build": { params: BuildMapParams; result: MapBuildResult };
  /** Of hosts behind sub-overlords that were seen, and of all minions of this overlord. */
  "map/states": { params: object; result: { states: MapNodeState[] } };

  /** Asks the overlord at the end of the path (sub-overlords from here on), through the funcds before it. */
  "overlord/at": {
    params: { path: string[]; request: RequestAt; params: JsonValue };
    result: JsonValue;
  };

  /**
   * The requests of a sub-overlord's own funcd, for an overlord above. The job's id follows from the first call id:
   * a repeat answers with the same job. `by`: who asked funcd, as its certificate proved.
   */
  "delegation/start": {
    params: { request: DelegatedRequest; by: string };
    result: { jobId: string };
  };
  /**
   * As "delegation/start", without an originator's signature, as overlords of the original ask: this overlord calls in
   * its own name. Each one is a new job.
   */
  "delegation/run": {
    params: { request: PlainDelegatedRequest; by: string };
    result: { jobId: string };
  };
  /**
   * Waits for at most `waitMs` until something has changed since `cursor` ("" for the first time). Only whoever
   * started a job may ask about it, here and below: "denied" for others.
   */
  "delegation/collect": {
    params: { jobId: string; by: string; cursor: string; waitMs: number };
    result: DelegatedProgress;
  };
  "delegation/cancel": {
    params: { jobId: string; by: string };
    result: {
      /** Whether it ran. */
      found: boolean;
      /** Of one that has ended: how many minions stop what it had left running. */
      stopped?: number;
    };
  };
  /** Calls nobody more whose call has not begun. */
  "delegation/skipRest": { params: { jobId: string; by: string }; result: { found: boolean } };
  /** As `jobs.read_output` of a minion, of the host that the call id names. */
  "delegation/readOutput": {
    params: {
      jobId: string;
      by: string;
      callId: string;
      stream: "stdout" | "stderr";
      offset: number;
      length: number;
      waitMs: number;
      knownOfOther?: number;
    };
    result: { base64: string; size: number; ended: boolean; sizeOfOther?: number };
  };
  /** As `outputs/read`, of an output that the job holds. */
  "delegation/readValue": {
    params: { jobId: string; by: string; sha256: string; offset: number; length: number };
    result: { base64: string; bytes: number };
  };
  /**
   * Those behind this overlord, for the map of one above. `above`: identities of the overlords that have asked so
   * far, so that a cycle ends.
   */
  "delegation/mapBelow": {
    params: { onlyAlive: boolean; timeoutMs: number; above: string[] };
    result: JsonValue;
  };
  /** `overlord/at` for the rest of the path. */
  "delegation/ask": {
    params: { path: string[]; request: RequestAt; params: JsonValue; by: string };
    result: JsonValue;
  };

  /** Lines of the overlord's audit log, oldest first, at most 1,000. */
  "audit/read": { params: AuditRange; result: { records: AuditRecord[] } };
  /** Reads the whole audit log and tells the first line that is not what was written. */
  "audit/verify": { params: object; result: ChainReport };
}

/** Notifications from the overlord to its clients. */
export interface OverlordNotifications {
  "jobs/progress": JobProgress;
  "jobs/output": JobOutput;
  /** To all clients that have asked for `jobs/list`. */
  "jobs/changed": JobsChanged;
  "minions/changed": MinionsChanged;
  /** There is a new map: `map/read` has it. */
  "map/changed": object;
  /** To the client that asked for `map/build`. */
  "map/building": MapBuilding;
  /** A client changed the groups: `groups/list` has them. Nothing tells of what was edited by hand. */
  "groups/changed": object;
  /** Something that `certmaster/list` tells is different. */
  "certmaster/changed": object;
}

/** `data` of a ResponseError. */
export interface ErrorData {
  reason: string;
  nextStep?: string;
}
