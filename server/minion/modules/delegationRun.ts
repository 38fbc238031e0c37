import type { PlainDelegatedRequest } from "../../protocol/delegation";
import type { ArgumentDescription } from "../../protocol/methods";
import { toJson } from "../../wire/jsonValue";
import type { XmlRpcValue } from "../../wire/value";
import { asString } from "../argumentCheck";
import { askedBy } from "../askedBy";
import { runDelegated } from "../delegatedRun";
import { MethodError, TYPE_ERROR } from "../methodError";
import type { MinionMethod } from "../minionModule";
import type { SubOverlord } from "../subOverlord";

const MOST_NFORKS = 10_000;
/** Limit of the overlord's schema. */
const MOST_SECONDS = 2_000_000;

const ARGUMENTS: ArgumentDescription[] = [
  argument("module", "string", "Module of the method"),
  argument("method", "string", "Method to call"),
  argument("args", "list", "Its arguments"),
  argument("paths", "list", "For each minion the names on the way to it from here, itself last"),
  argument("async", "boolean", "Whether minions run it as a job"),
  argument("nforks", "int", "How many minions are called at the same time"),
  {
    ...argument("timeout", "float", "Seconds that the method may take on each minion"),
    optional: true,
  },
];

/** `delegation.run` as overlords of the original ask for it, with 6 arguments or 7. */
export function runMethod(overlord: SubOverlord): MinionMethod {
  return {
    description: "Calls a method on minions behind this host; answers host -> result",
    args: ARGUMENTS,
    risk: "change",
    carries: (module, method, args) => ({
      method: `${asString(module)}.${asString(method)}`,
      params: Array.isArray(args) ? args : [],
    }),
    handler: ({ caller, signal }, ...args) => {
      const request = requestOf(args);
      if (request.paths.length === 0) return {};
      return runDelegated(overlord, request, askedBy(caller), signal);
    },
  };
}

function requestOf(given: (XmlRpcValue | undefined)[]): PlainDelegatedRequest {
  const [module, method, args, paths, isAsync, nforks, seconds = 0] = given;
  const timeoutMs = Math.round(Math.min(Number(seconds), MOST_SECONDS) * 1_000);
  return {
    module: asString(module),
    method: asString(method),
    args: Array.isArray(args) ? args.map(toJson) : [],
    paths: Array.isArray(paths) ? paths.map(pathOf) : [],
    async: isAsync === true,
    // as in the original, nothing below one
    nforks: Math.min(Math.max(1, Number(nforks)), MOST_NFORKS),
    ...(timeoutMs > 0 && { timeoutMs }),
  };
}

function pathOf(path: XmlRpcValue): string[] {
  if (Array.isArray(path) && path.length > 0 && path.every((name) => typeof name === "string")) {
    return path;
  }
  const what = "has to be a list of paths, each one a list of names";
  throw new MethodError(TYPE_ERROR, `delegation.run: the argument "paths" ${what}`);
}

function argument(
  name: string,
  type: ArgumentDescription["type"],
  description: string,
): ArgumentDescription {
  return { name, type, optional: false, description };
}
