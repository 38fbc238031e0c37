import type { MethodDirectory } from "../../calls/methodDirectory";
import type { MinionRecord } from "../../protocol/minions";
import type { StartCallParams } from "../../protocol/requests";
import { fromJson } from "../../wire/jsonValue";
import type { XmlRpcValue } from "../../wire/value";
import { argsText, hasSecret } from "../argsText";
import { createJobId } from "../jobId";
import type { JobAbove, JobRecord } from "../store/storeTypes";
import type { CallDefaults } from "./makeRun";
import type { MinionBehind } from "./minionsBehind";

/** Where a job comes from, and whom it reaches beside this overlord's own minions. */
export interface JobOrigin extends Pick<
  JobRecord,
  "startedBy" | "canaries" | "childrenFirst" | "warning"
> {
  behind?: readonly MinionBehind[];
  above?: JobAbove;
  /** Whatever `nforks` is given. */
  keepPlaces?: boolean;
  /** Without it a new one is made. */
  jobId?: string;
  /** The arguments are written nowhere, whatever they look like. */
  secret?: boolean;
}

/** What a job is made of. */
export interface NewJob {
  record: JobRecord;
  params: XmlRpcValue[];
  /** As it was given; `record` leaves out what is secret. */
  above?: JobAbove;
}

/** Throws FuncError "bad-argument" for arguments that cannot be sent. */
export function newJob(
  request: StartCallParams,
  minions: readonly MinionRecord[],
  origin: JobOrigin,
  { methods, defaults }: { methods: MethodDirectory; defaults: CallDefaults },
): NewJob {
  const { spec, exclude, module, method, args, async = false } = request;
  const { deliveryLimitMs, batch, maxErrors, delegate, mapFile } = request;
  const { startedBy, canaries, above, warning, behind = [] } = origin;
  const params = args.map(fromJson);
  const names = minions.map(({ name }) => name);
  const hops = behind.flatMap(({ path }) => path.slice(0, 1));
  const description = methods.find([...names, ...hops], module, method);
  const timeoutMs = async ? request.timeoutMs : (request.timeoutMs ?? defaults.timeoutMs);
  const secret = origin.secret ?? hasSecret(args, description);
  const childrenFirst = origin.childrenFirst ?? description?.risk === "disruptive";
  const record: JobRecord = {
    id: origin.jobId ?? createJobId(spec, module, method),
    spec,
    ...(exclude !== undefined && { exclude }),
    module,
    method,
    ...(!secret && { args }),
    argsText: origin.secret ? args.map(() => "***").join(", ") : argsText(args, description),
    async,
    createdAtMs: Date.now(),
    ...(startedBy && { startedBy }),
    nforks: request.nforks ?? defaults.nforks,
    keepPlaces: origin.keepPlaces ?? (request.nforks !== undefined || defaults.nforksGiven),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(deliveryLimitMs !== undefined && { deliveryLimitMs }),
    ...(batch && { batch }),
    ...(canaries && { canaries }),
    ...(maxErrors !== undefined && { maxErrors }),
    ...(delegate && { delegate }),
    ...(mapFile !== undefined && { mapFile }),
    ...(warning !== undefined && { warning }),
    ...(childrenFirst && behind.length > 0 && { childrenFirst }),
    ...(above && { above: secret ? withoutCall(above) : above }),
    minions: membersOf(minions, behind),
  };
  return { record, params, ...(above && { above }) };
}

/** In the order that they would have, were all of them this overlord's own. */
function membersOf(
  minions: readonly MinionRecord[],
  behind: readonly MinionBehind[],
): JobRecord["minions"] {
  const direct = minions.map(({ name, address, port }) => ({ name, address, port }));
  if (behind.length === 0) return direct;
  const others = behind.map(({ name, path, identity }) => ({
    name,
    path,
    ...(identity !== undefined && { identity }),
  }));
  return [...direct, ...others].sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** The call has the arguments in it. */
function withoutCall({ originator, by, targets }: JobAbove): JobAbove {
  return { originator, by, targets };
}
