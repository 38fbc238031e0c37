import { isDeepStrictEqual } from "node:util";
import { AnswerOutputs } from "../../server/wire/answerOutputs";
import { BodyLifter } from "../../server/wire/bodyLifter";
import type { DecodedResponse } from "../../server/wire/decode";
import { decodeCall, decodeResponse, DEFAULT_LIMITS } from "../../server/wire/decode";
import { encodeCall, encodeResponse } from "../../server/wire/encode";
import { IncomingCheck } from "../../server/wire/incomingCheck";
import { fromJson, toJson } from "../../server/wire/jsonValue";
import type { JsonValue } from "../../server/protocol/value";
import type { XmlRpcStruct, XmlRpcValue } from "../../server/wire/value";
import { XmlRpcDateTime, XmlRpcDouble, XmlRpcSpooled } from "../../server/wire/value";
import { MemorySpool } from "../fixtures/memorySpool";
import { referenceResponse } from "../fixtures/saxesReference";
import { makeDocument, XML_WORDS } from "./documentGrammar";
import type { FuzzTarget, Verdict } from "./fuzzTarget";
import { insist, verdictOf } from "./fuzzTarget";
import { cutInPieces, mutate } from "./mutation";
import type { Random } from "./random";

type Root = "methodCall" | "methodResponse";

function documentOf(random: Random, root: Root): Buffer {
  const bytes = Buffer.from(makeDocument(random, root));
  return random.chance(0.1) ? bytes : mutate(random, bytes, XML_WORDS);
}

/** What is read is written and read again as the same. */
const calls: FuzzTarget = {
  name: "calls",
  make: (random) => documentOf(random, "methodCall"),
  check: (input) => {
    const read = verdictOf(() => decodeCall(input));
    if (!("value" in read)) return;
    const { method, params } = read.value;
    const again = decodeCall(encodeCall(method, params));
    insist(isDeepStrictEqual(again, read.value), "a call is not the same after a round trip");
    // JSON has no -0
    const json = JSON.stringify(params.map(toJson));
    const back = (JSON.parse(json) as JsonValue[]).map(fromJson);
    insist(JSON.stringify(back.map(toJson)) === json, "a value changes on a way through JSON");
  },
};

/** The decoder agrees with one that is made with saxes. */
const oracle: FuzzTarget = {
  name: "oracle",
  make: (random) => documentOf(random, "methodResponse"),
  check: (input) => {
    if (/encoding|[0-9-]{8,}T/.test(input.toString("latin1"))) return; // the oracle reads UTF-8 and one form of dates
    const ours = verdictOf(() => decodeResponse(input));
    let theirs: Verdict<DecodedResponse>;
    try {
      theirs = { value: asResponse(referenceResponse(input)) };
    } catch {
      theirs = { refused: "bad-data" };
    }
    insist(
      "value" in ours === "value" in theirs,
      `only ${"value" in ours ? "ours" : "saxes"} reads it`,
    );
    if ("value" in ours && "value" in theirs) {
      insist(isDeepStrictEqual(ours.value, theirs.value), "saxes reads another value");
    }
  },
};

function asResponse(answer: XmlRpcValue | { fault: XmlRpcValue }): DecodedResponse {
  const isFault = typeof answer === "object" && answer !== null && "fault" in answer;
  if (!isFault || Object.getPrototypeOf(answer) === null) return { value: answer };
  const { faultCode, faultString } = answer.fault as {
    faultCode: number;
    faultString: string | Uint8Array;
  };
  const message =
    typeof faultString === "string" ? faultString : Buffer.from(faultString).toString();
  return { fault: { code: faultCode, message } };
}

/** The check on the way in refuses nothing that the decoder reads, wherever it is cut. */
function incoming(root: Root): FuzzTarget {
  return {
    name: `incoming ${root}`,
    make: (random) => documentOf(random, root),
    check: (input, random) => {
      const verdict = verdictOf(() => {
        const check = new IncomingCheck(root, DEFAULT_LIMITS);
        for (const piece of cutInPieces(random, input)) check.accept(piece);
      });
      const decoded = verdictOf<unknown>(() =>
        root === "methodCall" ? decodeCall(input) : decodeResponse(input),
      );
      insist("value" in verdict || !("value" in decoded), "refused on the way in, read when whole");
    },
  };
}

/** An answer with long texts lifted out of it is the same answer. */
const lifter: FuzzTarget = {
  name: "lifter",
  make: (random) => documentOf(random, "methodResponse"),
  check: async (input, random) => {
    const whole = verdictOf(() => decodeResponse(input));
    const spool = new MemorySpool();
    const outputs = new AnswerOutputs(spool);
    const lift = new BodyLifter(outputs, DEFAULT_LIMITS, random.below(30));
    let lifted: Verdict<DecodedResponse>;
    try {
      for (const piece of cutInPieces(random, input)) {
        lift.push(piece);
        await outputs.wait();
      }
      const { skeleton, values } = await lift.end();
      lifted = verdictOf(() => decodeResponse(skeleton, DEFAULT_LIMITS, values));
    } catch (error) {
      outputs.discard();
      lifted = verdictOf(() => {
        throw error;
      });
    }
    insist(
      "value" in whole === "value" in lifted,
      `read ${"value" in whole ? "whole" : "lifted"} only`,
    );
    if (!("value" in whole && "value" in lifted)) return;
    const answer =
      "value" in lifted.value ? { value: unlifted(lifted.value.value, spool) } : lifted.value;
    // a fault's text is shortened where it is long
    if ("value" in answer)
      insist(isDeepStrictEqual(answer, whole.value), "lifted, it is another value");
  },
};

function unlifted(value: XmlRpcValue, spool: MemorySpool): XmlRpcValue {
  if (value instanceof XmlRpcSpooled) {
    const bytes = spool.outputs.get(value.sha256)?.bytes ?? Buffer.from("missing");
    return value.kind === "text" ? bytes.toString() : new Uint8Array(bytes);
  }
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if (value instanceof XmlRpcDouble || value instanceof XmlRpcDateTime) return value;
  if (Array.isArray(value)) return value.map((item) => unlifted(item, spool));
  const struct = Object.create(null) as XmlRpcStruct;
  for (const [name, member] of Object.entries(value)) struct[name] = unlifted(member, spool);
  return struct;
}

/** What JSON-RPC brings is encoded or refused. */
const jsonValues: FuzzTarget = {
  name: "JSON values",
  make: (random) => mutate(random, Buffer.from(random.pick(JSON_TEXTS)), JSON_WORDS),
  check: (input) => {
    let json: unknown;
    try {
      json = JSON.parse(input.toString());
    } catch {
      return;
    }
    const value = verdictOf(() => fromJson(json as JsonValue));
    if (!("value" in value)) return;
    const encoded = verdictOf(() => encodeResponse(value.value));
    if ("value" in encoded) decodeResponse(encoded.value);
  },
};

const JSON_TEXTS = [
  '[1,-1.5e300,"text",null,true,{"a":[{}]}]',
  '{"$base64":"aGk="}',
  '{"$int":"9223372036854775807"}',
  '{"$double":3}',
  '{"$dateTime":"20260131T12:00:00"}',
  '{"$struct":{"$base64":"x"}}',
  '{"__proto__":{"a":1},"constructor":2}',
] as const;
const JSON_WORDS = ['"', "{", "}", "[", "]", ":", ",", "$", '"$int"', '"__proto__":', "1e999", "-0", "\\u0000", "\\ud800", "9".repeat(30)] as const; // prettier-ignore

export const XML_TARGETS: readonly FuzzTarget[] = [
  calls,
  oracle,
  incoming("methodCall"),
  incoming("methodResponse"),
  lifter,
  jsonValues,
];
