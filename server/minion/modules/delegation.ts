import { MOST_BELOW_MS } from "../../delegation/mapBelow";
import { readSignedCall } from "../../pki/documents/delegatedCall";
import { REQUESTS_AT, type DelegatedRequest, type RequestAt } from "../../protocol/delegation";
import type { ArgumentDescription } from "../../protocol/methods";
import { MAX_OUTPUT_READ_BYTES } from "../../protocol/outputs";
import type { JsonValue } from "../../protocol/value";
import { fromJson } from "../../wire/jsonValue";
import type { XmlRpcValue } from "../../wire/value";
import { asString } from "../argumentCheck";
import { askedBy } from "../askedBy";
import { FUNC_EXCEPTION, MethodError, VALUE_ERROR } from "../methodError";
import type { CallContext, CarriedCall, MinionMethod, MinionModule } from "../minionModule";
import type { SubOverlord } from "../subOverlord";
import { runMethod } from "./delegationRun";

/** Below the time that anything between the two ends lets a quiet connection live. */
const MOST_WAIT_SECONDS = 50;
/** How much later than its wait the overlord may answer. */
const GRACE_MS = 30_000;
/** A signed call with the arguments and the targets' proofs has to be written to the disk there. */
const START_TIMEOUT_MS = 25_000;
const ASK_TIMEOUT_MS = 120_000;

const JOB_ID = text("job_id", "The id that start answered");
const WAIT: ArgumentDescription = {
  name: "wait_seconds",
  type: "float",
  optional: true,
  description: "How long to wait at most",
  default: 0,
  min: 0,
  max: MOST_WAIT_SECONDS,
};

/** What overlords above ask of the overlord of this host. */
export function delegationModule(overlord: SubOverlord): MinionModule {
  const boundsOf = ({ signal, connectionClosed }: CallContext, seconds: number) => ({
    signal: AbortSignal.any([signal, connectionClosed]),
    timeoutMs: seconds * 1_000 + GRACE_MS,
  });
  const jobOf = ({ caller }: CallContext, id: XmlRpcValue | undefined) => ({
    jobId: asString(id),
    by: askedBy(caller),
  });
  const read = (
    description: string,
    args: ArgumentDescription[],
    handler: MinionMethod["handler"],
  ): MinionMethod => ({ description, args, risk: "read", repeats: true, handler });
  const change = (
    description: string,
    args: ArgumentDescription[],
    handler: MinionMethod["handler"],
  ): MinionMethod => ({ description, args, risk: "change", handler });
  const repeatable = (...of: Parameters<typeof change>): MinionMethod => ({
    ...change(...of),
    repeatable: true,
  });
  return {
    name: "delegation",
    version: "0.0.1",
    description: "Calls minions of this host's own overlord, for overlords above it",
    methods: {
      run: runMethod(overlord),
      start: {
        ...repeatable(
          "Has a signed call made on minions behind this host; answers the id of the job there",
          [text("request_json", "The signed call with its targets, as JSON")],
          async ({ caller, signal }, json) => {
            const request = requestIn(json);
            const bounds = { signal, timeoutMs: START_TIMEOUT_MS };
            const params = { request, by: askedBy(caller) };
            return (await overlord.request("delegation/start", params, bounds)).jobId;
          },
        ),
        carries: (json) => carriedBy(requestIn(json)),
      },
      collect: read(
        "Answers as JSON what has changed in a job since the cursor; waits for news",
        [JOB_ID, text("cursor", "Where the last answer ended; empty at first"), WAIT],
        async (context, id, cursor, seconds) => {
          const waitMs = Math.round(Number(seconds) * 1_000);
          const params = { ...jobOf(context, id), cursor: asString(cursor), waitMs };
          const bounds = boundsOf(context, Number(seconds));
          return JSON.stringify(await overlord.request("delegation/collect", params, bounds));
        },
      ),
      cancel: repeatable(
        "Cancels a job; answers whether it ran, or of one that has ended on how many minions something is stopped",
        [JOB_ID],
        async (context, id) => {
          const bounds = { signal: context.signal };
          const job = jobOf(context, id);
          const { found, stopped } = await overlord.request("delegation/cancel", job, bounds);
          return stopped ?? found;
        },
      ),
      skip_rest: repeatable(
        "Calls no more of a job's minions; answers whether it ran",
        [JOB_ID],
        async (context, id) => {
          const bounds = { signal: context.signal };
          return (await overlord.request("delegation/skipRest", jobOf(context, id), bounds)).found;
        },
      ),
      read_output: read(
        "Answers [bytes, size so far, ended] of what a command has written on a job's minion; waits for more than offset",
        [
          JOB_ID,
          text("call_id", "Id of the call on that minion"),
          { ...text("stream", "Which of the two"), options: ["stdout", "stderr"] },
          bytes("offset", "Where to read from, in bytes"),
          bytes("length", "How many bytes at most", MAX_OUTPUT_READ_BYTES),
          WAIT,
          { ...bytes("known_of_other", "As of jobs.read_output"), optional: true },
        ],
        async (context, id, callId, stream, offset, length, seconds, other) => {
          const params = {
            ...jobOf(context, id),
            callId: asString(callId),
            stream: stream === "stderr" ? ("stderr" as const) : ("stdout" as const),
            offset: Number(offset),
            length: Number(length),
            waitMs: Math.round(Number(seconds) * 1_000),
            ...(other !== undefined && { knownOfOther: Number(other) }),
          };
          const bounds = boundsOf(context, Number(seconds));
          const part = await overlord.request("delegation/readOutput", params, bounds);
          const { base64, size, ended, sizeOfOther } = part;
          const rest = sizeOfOther === undefined ? [] : [sizeOfOther];
          return [new Uint8Array(Buffer.from(base64, "base64")), size, ended, ...rest];
        },
      ),
      read_value: read(
        "Answers [bytes, size] of a large part of a job's results",
        [
          JOB_ID,
          text("sha256", "Which part"),
          bytes("offset", "Where to read from, in bytes"),
          bytes("length", "How many bytes at most", MAX_OUTPUT_READ_BYTES),
        ],
        async (context, id, sha256, offset, length) => {
          const range = { offset: Number(offset), length: Number(length) };
          const params = { ...jobOf(context, id), sha256: asString(sha256), ...range };
          const bounds = boundsOf(context, 0);
          const part = await overlord.request("delegation/readValue", params, bounds);
          return [new Uint8Array(Buffer.from(part.base64, "base64")), part.bytes];
        },
      ),
      ask: change(
        "Sends a request to the overlord of this host, or of one behind it; answers as JSON",
        [
          text("path_json", "Sub-overlords from here on, a list as JSON"),
          { ...text("request", "Which request"), options: [...REQUESTS_AT] },
          text("params_json", "Its parameters as JSON"),
        ],
        async ({ caller, signal }, path, request, params) => {
          const asked = {
            path: namesIn("path_json", path),
            request: requestAt(request),
            params: jsonIn("params_json", params),
            by: askedBy(caller),
          };
          const bounds = { signal, timeoutMs: ASK_TIMEOUT_MS };
          return JSON.stringify(await overlord.request("delegation/ask", asked, bounds));
        },
      ),
      map_below: read(
        "Answers as JSON which minions stand behind this host",
        [
          { ...text("only_alive", "Those alone that answer"), type: "boolean" },
          {
            name: "timeout_seconds",
            type: "float",
            optional: false,
            description: "Until the answer, all hosts behind this one included",
            min: 0.1,
            max: MOST_BELOW_MS / 1_000,
          },
          text("above_json", "Keys of the overlords that ask, a list as JSON"),
        ],
        async (context, onlyAlive, seconds, above) => {
          const params = {
            onlyAlive: onlyAlive === true,
            timeoutMs: Math.round(Number(seconds) * 1_000),
            above: namesIn("above_json", above),
          };
          const bounds = { ...boundsOf(context, 0), timeoutMs: MOST_BELOW_MS };
          return JSON.stringify(await overlord.request("delegation/mapBelow", params, bounds));
        },
      ),
    },
  };
}

function text(name: string, description: string): ArgumentDescription {
  return { name, type: "string", optional: false, description };
}

function bytes(name: string, description: string, max?: number): ArgumentDescription {
  const bounds = max === undefined ? { min: 0 } : { min: 1, max };
  return { name, type: "int", optional: false, description, ...bounds };
}

/** The overlord checks all of it; here only what the call is has to be known. */
function requestIn(json: XmlRpcValue | undefined): DelegatedRequest {
  const request: unknown = jsonIn("request_json", json);
  if (typeof request === "object" && request !== null && "call" in request) {
    return request as DelegatedRequest;
  }
  throw wrong("request_json", "has no call in it");
}

/** Throws where the call is not signed, or its signature is wrong. */
function carriedBy({ call }: DelegatedRequest): CarriedCall {
  const { method, args } = readSignedCall(call);
  return { method, params: args.map(fromJson) };
}

function jsonIn(name: string, json: XmlRpcValue | undefined): JsonValue {
  try {
    return JSON.parse(asString(json)) as JsonValue;
  } catch (error) {
    throw error instanceof MethodError ? error : wrong(name, "is no JSON");
  }
}

function namesIn(name: string, json: XmlRpcValue | undefined): string[] {
  const names = jsonIn(name, json);
  if (Array.isArray(names) && names.every((one) => typeof one === "string")) return names;
  throw wrong(name, "is no list of names");
}

function requestAt(request: XmlRpcValue | undefined): RequestAt {
  const known = REQUESTS_AT.find((one) => one === request);
  if (known) return known;
  throw new MethodError(FUNC_EXCEPTION, "this may not be asked through others");
}

function wrong(name: string, what: string): MethodError {
  return new MethodError(VALUE_ERROR, `the argument "${name}" ${what}`);
}
