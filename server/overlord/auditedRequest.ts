import { createHash } from "node:crypto";
import type { ChainFields } from "../common/chainLine";
import type { OverlordRequests } from "../protocol/requests";

/** Requests that only look, or that end nothing but the client's own watching. All others are audited. */
const UNAUDITED: ReadonlySet<string> = new Set<keyof OverlordRequests>([
  "overlord/status",
  "minions/list",
  "minions/match",
  "minions/describe",
  "groups/list",
  "jobs/list",
  "jobs/watch",
  "jobs/results",
  "jobs/unwatch",
  "jobs/status",
  "jobs/result",
  "jobs/search",
  "jobs/call",
  "jobs/history",
  "jobs/attempts",
  "jobs/searchAll",
  "jobs/follow",
  "jobs/unfollow",
  "outputs/read",
  "certmaster/list",
  "certmaster/crl",
  "audit/read",
  "audit/verify",
  "map/read",
  "map/paths",
  "map/validate",
  "map/states",
  "delegation/collect",
  "delegation/readOutput",
  "delegation/readValue",
  "delegation/mapBelow",
]);

/** What of the parameters is told; everything else may be secret, or large. */
const TOLD_PARAMS =
  "spec exclude module method async background jobId jobIds minions maxErrors name names role serials reason keyFingerprint " +
  "days replace certificateFile keyFile address port addresses nameGlob ttlMs forMs id file force add remove delete action without path " +
  "request by originator total append onlyAlive hosts added removed rekeyed problems problem";
const TOLD: ReadonlySet<string> = new Set(TOLD_PARAMS.split(" "));
const MAX_TEXT = 1_000;
const MAX_ITEMS = 50;

/** What is asked of a sub-overlord counts as what it asks for; at its end, the request that it becomes is audited. */
export function isAudited(method: string, params: object): boolean {
  if (method === "delegation/ask" && "path" in params && isEmpty(params.path)) return false;
  const asks = method === "delegation/ask" || method === "overlord/at";
  if (asks && "request" in params) return !UNAUDITED.has(String(params.request));
  return !UNAUDITED.has(method);
}

function isEmpty(path: unknown): boolean {
  return Array.isArray(path) && path.length === 0;
}

/** The parameters for the audit: names of what is dealt with, and a digest of a call's arguments. */
export function auditedParams(params: object): ChainFields {
  const told = toldOf(params);
  // of a sub-overlord
  if ("request" in params && "params" in params && isObject(params.params)) {
    told["asked"] = toldOf(params.params);
  }
  if ("args" in params) told["argumentsDigest"] = digestOf(params.args);
  return told;
}

function toldOf(params: object): Record<string, unknown> {
  const told: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(params) as [string, unknown][]) {
    // a certificate request, a passphrase, a call's arguments
    if (!TOLD.has(key) || value === undefined) continue;
    if (key === "request" && isObject(value)) {
      Object.assign(told, auditedDelegation(value));
      continue;
    }
    told[key] = bounded(value);
    if (Array.isArray(value) && value.length > MAX_ITEMS) told[`${key}Count`] = value.length;
  }
  return told;
}

/** What of a result is told. */
export function auditedResult(method: string, result: unknown): ChainFields {
  const { id, total, record, revoked, revocationNumber, forgotten, caFingerprint } = (
    typeof result === "object" && result !== null ? result : {}
  ) as Record<string, unknown>;
  const told: Record<string, unknown> = {};
  if (method === "calls/start") Object.assign(told, { jobId: id, total });
  if (method === "delegation/start" || method === "delegation/run") {
    told["jobId"] = (result as { jobId: string }).jobId;
  }
  if (method === "certmaster/createToken") told["tokenId"] = id;
  if (method === "certmaster/importAuthority") told["caFingerprint"] = caFingerprint;
  if (typeof record === "object" && record !== null) {
    const { name, role, serial, keyFingerprint } = record as Record<string, unknown>;
    told["certificate"] = { name, role, serial, keyFingerprint };
  }
  if (Array.isArray(revoked)) Object.assign(told, { revoked: revoked.length, revocationNumber });
  if (Array.isArray(forgotten)) told["forgotten"] = forgotten.length;
  return told;
}

/** A call for an overlord above. */
function auditedDelegation(request: object): ChainFields {
  const targets = "targets" in request ? request.targets : "paths" in request ? request.paths : [];
  const flat = { ...request, request: undefined };
  return { ...auditedParams(flat), total: Array.isArray(targets) ? targets.length : 0 };
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function bounded(value: unknown): unknown {
  if (typeof value === "string") {
    return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}...` : value;
  }
  if (Array.isArray(value)) {
    return value
      .slice(0, MAX_ITEMS)
      .map((item) => (Array.isArray(item) ? "object" : bounded(item)));
  }
  return typeof value === "number" || typeof value === "boolean" ? value : typeof value;
}

function digestOf(value: unknown): string {
  try {
    return createHash("sha256").update(JSON.stringify(value)).digest("hex");
  } catch {
    return "none: they nest too deep"; // such a call is refused
  }
}
