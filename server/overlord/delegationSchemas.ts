import * as v from "valibot";
import { REQUESTS_AT } from "../protocol/delegation";
import { MAX_OUTPUT_READ_BYTES } from "../protocol/outputs";
import type { OverlordRequests } from "../protocol/requests";
import type { JsonValue } from "../protocol/value";

const MAX_MS = 2_000_000_000;
const MAX_NAMES = 100_000;
const MAX_PATH = 64;
const MAX_MAP_TEXT = 50_000_000;
/** Of a signed call, with its arguments. */
const MAX_CALL_LENGTH = 64_000_000;

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(253));
const path = v.pipe(v.array(name), v.minLength(1), v.maxLength(MAX_PATH));
const jobId = v.pipe(v.string(), v.minLength(1), v.maxLength(1_000));
const callId = v.pipe(v.string(), v.minLength(1), v.maxLength(2_000));
const base64 = v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]{1,20000}={0,2}$/, "It must be base64"));
const fingerprint = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "It must be 64 hex digits"));
const mapFile = v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(4_096)));
const milliseconds = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_MS));
const waitMs = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(60_000));
const place = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const length = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_OUTPUT_READ_BYTES));
const by = v.pipe(v.string(), v.minLength(1), v.maxLength(300));
/** Everything that arrives by JSON-RPC is JSON. */
const json = v.custom<JsonValue>((value) => value !== undefined);

const target = v.object({
  path,
  callId,
  identity: v.optional(fingerprint),
  proof: v.object({
    index: place,
    count: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_NAMES)),
    hashes: v.pipe(v.array(base64), v.maxLength(20)),
  }),
});

type DelegationRequest = Extract<
  keyof OverlordRequests,
  `map/${string}` | `delegation/${string}` | "overlord/at"
>;

type Schemas = {
  [M in DelegationRequest]: v.GenericSchema<unknown, OverlordRequests[M]["params"]>;
};

/** What the params of requests about delegation have to look like. */
export const delegationSchemas: Schemas = {
  "map/read": v.object({ mapFile }),
  "map/paths": v.object({ names: v.pipe(v.array(name), v.maxLength(MAX_NAMES)), mapFile }),
  "map/validate": v.object({
    text: v.optional(v.pipe(v.string(), v.maxLength(MAX_MAP_TEXT))),
    mapFile,
  }),
  "map/build": v.object({
    append: v.optional(v.boolean()),
    onlyAlive: v.optional(v.boolean()),
    timeoutMs: v.optional(milliseconds),
  }),
  "map/states": v.object({}),
  "overlord/at": v.object({ path, request: v.picklist(REQUESTS_AT), params: json }),
  "delegation/start": v.object({
    request: v.object({
      call: v.object({
        text: v.pipe(v.string(), v.maxLength(MAX_CALL_LENGTH)),
        signature: base64,
        publicKey: base64,
      }),
      spec: v.pipe(v.string(), v.maxLength(1_000_000)),
      targets: v.pipe(v.array(target), v.minLength(1), v.maxLength(MAX_NAMES)),
      nforks: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000)),
      timeoutMs: v.optional(milliseconds),
      keepPlaces: v.optional(v.boolean()),
      deliveryLimitMs: v.optional(milliseconds),
      maxErrors: v.optional(place),
      secret: v.optional(v.boolean()),
      childrenFirst: v.optional(v.boolean()),
    }),
    by,
  }),
  "delegation/run": v.object({
    request: v.object({
      module: v.pipe(v.string(), v.minLength(1), v.maxLength(512)),
      method: v.pipe(v.string(), v.minLength(1), v.maxLength(512)),
      args: v.array(json),
      paths: v.pipe(v.array(path), v.minLength(1), v.maxLength(MAX_NAMES)),
      async: v.boolean(),
      nforks: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000)),
      timeoutMs: v.optional(milliseconds),
    }),
    by,
  }),
  "delegation/collect": v.object({
    jobId,
    by,
    cursor: v.pipe(v.string(), v.maxLength(200)),
    waitMs,
  }),
  "delegation/cancel": v.object({ jobId, by }),
  "delegation/skipRest": v.object({ jobId, by }),
  "delegation/readOutput": v.object({
    jobId,
    by,
    callId,
    stream: v.picklist(["stdout", "stderr"]),
    offset: place,
    length,
    waitMs,
    knownOfOther: v.optional(place),
  }),
  "delegation/readValue": v.object({
    jobId,
    by,
    sha256: fingerprint,
    offset: place,
    length,
  }),
  "delegation/mapBelow": v.object({
    onlyAlive: v.boolean(),
    timeoutMs: milliseconds,
    above: v.pipe(v.array(fingerprint), v.maxLength(MAX_PATH)),
  }),
  "delegation/ask": v.object({
    path: v.pipe(v.array(name), v.maxLength(MAX_PATH)),
    request: v.picklist(REQUESTS_AT),
    params: json,
    by,
  }),
};
