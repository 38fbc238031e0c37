import * as v from "valibot";
import { FuncError } from "../common/errors";
import { MAX_OUTPUT_READ_BYTES } from "../protocol/outputs";
import type { OverlordRequests } from "../protocol/requests";
import type { JsonValue } from "../protocol/value";
import { delegationSchemas } from "./delegationSchemas";

/** What a timer can hold. */
const MAX_MS = 2_000_000_000;
const MAX_NAMES = 100_000;
const NO_NAME = "It must be a name of letters, digits and underscores";

const empty = v.object({});
const name = v.pipe(v.string(), v.minLength(1), v.maxLength(253));
const spec = v.pipe(v.string(), v.maxLength(1_000_000));
const exclude = v.optional(spec);
const hosts = v.optional(
  v.pipe(v.array(v.pipe(v.string(), v.maxLength(1_000_000))), v.maxLength(MAX_NAMES)),
);
const jobId = v.pipe(v.string(), v.minLength(1), v.maxLength(1_000));
const fingerprint = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "It must be 64 hex digits"));
const count = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_NAMES));
const milliseconds = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_MS));
/** Everything that arrives by JSON-RPC is JSON. */
const json = v.custom<JsonValue>((value) => value !== undefined);

const place0 = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const names = v.optional(v.pipe(v.array(name), v.maxLength(MAX_NAMES)));
const cursor = v.optional(v.pipe(v.string(), v.maxLength(1_000)));
const text = v.optional(v.pipe(v.string(), v.maxLength(1_000)));
const jobQuery = {
  minion: text,
  module: text,
  method: text,
  state: v.optional(v.picklist(["running", "finished", "problems"])),
  sinceMs: v.optional(v.number()),
  untilMs: v.optional(v.number()),
  text,
};

const passphrase = v.pipe(v.string(), v.maxLength(4_096));

const file = v.pipe(v.string(), v.minLength(1), v.maxLength(4_096));
const place = {
  name,
  address: v.pipe(v.string(), v.maxLength(253)),
  port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
};

const targets = {
  spec,
  exclude,
  delegate: v.optional(v.boolean()),
  mapFile: v.optional(file),
};

type Schemas = {
  [M in keyof OverlordRequests]: v.GenericSchema<unknown, OverlordRequests[M]["params"]>;
};

/** What each request's params have to look like. */
const schemas: Schemas = {
  "overlord/status": empty,
  "overlord/stop": v.object({ force: v.optional(v.boolean()) }),
  "overlord/backup": v.object({
    file: v.pipe(v.string(), v.minLength(1), v.maxLength(4_096)),
    passphrase: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(4_096))),
  }),
  "minions/list": empty,
  "minions/match": v.object(targets),
  "minions/edit": v.object({
    name,
    address: v.optional(v.pipe(v.string(), v.maxLength(253))),
    port: v.optional(v.number()),
  }),
  "minions/forget": v.object({ names: v.pipe(v.array(name), v.maxLength(MAX_NAMES)) }),
  "minions/describe": v.object(targets),
  "groups/list": empty,
  "groups/edit": v.object({
    name,
    add: hosts,
    remove: hosts,
    delete: v.optional(v.boolean()),
  }),
  "calls/start": v.object({
    ...targets,
    module: v.pipe(
      v.string(),
      v.regex(/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/, NO_NAME),
      v.maxLength(200),
    ),
    method: v.pipe(v.string(), v.regex(/^[A-Za-z_]\w*$/, NO_NAME), v.maxLength(200)),
    args: v.array(json),
    async: v.optional(v.boolean()),
    nforks: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000))),
    timeoutMs: v.optional(milliseconds),
    deliveryLimitMs: v.optional(milliseconds),
    batch: v.optional(
      v.object({
        canary: v.optional(spec),
        size: v.optional(
          v.pipe(v.string(), v.regex(/^\d{1,6}%?$/, 'It must be a number or a share like "10%"')),
        ),
      }),
    ),
    maxErrors: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_NAMES))),
    background: v.optional(v.boolean()),
  }),
  "jobs/list": v.object({
    ...jobQuery,
    limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000))),
    cursor,
  }),
  "jobs/call": v.object({ jobId }),
  "jobs/retry": v.object({ jobId, minions: names }),
  "jobs/delete": v.object({ jobIds: v.pipe(v.array(jobId), v.maxLength(10_000)) }),
  "jobs/history": v.object({ jobId, from: place0, limit: count }),
  "jobs/attempts": v.object({ jobId, minion: name }),
  "jobs/searchAll": v.object({
    text: v.pipe(v.string(), v.minLength(1), v.maxLength(1_000)),
    matchCase: v.optional(v.boolean()),
    query: v.optional(v.object(jobQuery)),
    cursor,
  }),
  "jobs/follow": v.object({
    jobId,
    minions: names,
    offsets: v.optional(
      v.record(name, v.object({ stdout: place0, stderr: place0, attempt: v.optional(count) })),
    ),
  }),
  "jobs/unfollow": v.object({ jobId }),
  "jobs/watch": v.object({ jobId, limit: v.optional(count) }),
  "jobs/results": v.object({
    jobId,
    from: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
    limit: count,
    minion: text,
  }),
  "jobs/unwatch": v.object({ jobId }),
  "jobs/status": v.object({ jobId }),
  "jobs/result": v.object({ jobId, minion: name }),
  "jobs/search": v.object({
    jobId,
    text: v.pipe(v.string(), v.minLength(1), v.maxLength(1_000)),
    matchCase: v.optional(v.boolean()),
    cursor: v.optional(v.pipe(v.string(), v.maxLength(1_000))),
  }),
  "outputs/read": v.object({
    sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
    offset: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
    length: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_OUTPUT_READ_BYTES)),
  }),
  "jobs/cancel": v.object({ jobId }),
  "certmaster/createToken": v.object({
    nameGlob: v.optional(v.pipe(v.string(), v.maxLength(253))),
    ttlMs: v.optional(milliseconds),
    addresses: v.optional(v.array(v.pipe(v.string(), v.maxLength(300)))),
  }),
  "certmaster/list": empty,
  "certmaster/closeToken": v.object({ id: name }),
  "certmaster/setApproval": v.object({
    forMs: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_MS)),
  }),
  "certmaster/approve": v.object({ name, keyFingerprint: fingerprint }),
  "certmaster/deny": v.object({ name, keyFingerprint: fingerprint }),
  "certmaster/sign": v.object({
    csr: v.pipe(v.string(), v.maxLength(65_536)),
    role: v.optional(v.picklist(["minion", "operator"])),
    name: v.optional(name),
    days: v.optional(v.pipe(v.number(), v.minValue(0.01), v.maxValue(825))),
    address: v.optional(v.pipe(v.string(), v.maxLength(253))),
    port: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535))),
    replace: v.optional(v.boolean()),
  }),
  "certmaster/admit": v.object({
    name,
    keyFingerprint: fingerprint,
    address: v.pipe(v.string(), v.maxLength(253)),
    port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
  }),
  "certmaster/renew": v.object({ spec: v.optional(spec) }),
  "certmaster/setPassphrase": v.object({ old: v.optional(passphrase), next: passphrase }),
  "certmaster/unlock": v.object({ passphrase }),
  "certmaster/importAuthority": v.object({
    certificateFile: file,
    keyFile: file,
    passphrase: v.optional(passphrase),
  }),
  "certmaster/inspect": v.object(place),
  "certmaster/accept": v.object({ ...place, keyFingerprint: fingerprint }),
  "certmaster/revoke": v.object({
    names: v.optional(v.pipe(v.array(name), v.maxLength(MAX_NAMES))),
    role: v.optional(v.picklist(["minion", "overlord", "operator"])),
    serials: v.optional(
      v.pipe(v.array(v.pipe(v.string(), v.regex(/^[0-9A-Fa-f]{1,64}$/))), v.maxLength(MAX_NAMES)),
    ),
    reason: v.optional(v.pipe(v.string(), v.maxLength(500))),
  }),
  "certmaster/rotate": v.object({
    action: v.picklist(["start", "finish", "abort"]),
    passphrase: v.optional(passphrase),
    without: v.optional(v.pipe(v.array(name), v.maxLength(MAX_NAMES))),
  }),
  "certmaster/crl": empty,
  ...delegationSchemas,
  "audit/read": v.object({
    fromSeq: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
    sinceMs: v.optional(v.pipe(v.number(), v.safeInteger())),
    limit: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000)),
  }),
  "audit/verify": empty,
};

export function isRequestName(method: string): method is keyof OverlordRequests {
  return Object.hasOwn(schemas, method);
}

/** The params of a request, checked. Throws FuncError "bad-argument" naming the request and the field. */
export function parseParams<M extends keyof OverlordRequests>(
  method: M,
  params: unknown,
): OverlordRequests[M]["params"] {
  const schema: v.GenericSchema<unknown, OverlordRequests[M]["params"]> = schemas[method];
  const parsed = v.safeParse(schema, params ?? {});
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const field = v.getDotPath(issue) ?? "params";
  throw new FuncError(
    "bad-argument",
    `${method}: "${field}" is wrong. ${issue.message.slice(0, 200)}.`,
  );
}
