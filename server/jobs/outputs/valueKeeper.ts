import { createHash } from "node:crypto";
import { FuncError } from "../../common/errors";
import type { CallError } from "../../protocol/jobs";
import type { OutputRef } from "../../protocol/outputs";
import type { JsonValue } from "../../protocol/value";
import type { OutputFiles } from "./outputFiles";
import { jsonPieces } from "./jsonPieces";
import { digestOfHash, digestOfJson } from "../resultDigest";
import { headOf, textSlices } from "./textSlices";
import {
  measureValue,
  OUTPUT_JSON_BYTES,
  replaceLarge,
  type LargeText,
  type MeasureLimits,
  type ValueMeasure,
} from "./valueMeasure";

/** How large what stays in memory may be. */
interface KeepLimits extends MeasureLimits {
  /** Of the value's JSON. */
  jsonLength: number;
  /** The limits hold while all values together take less than this in memory. */
  belowBytes: number;
}

const MIB = 1024 * 1024;
const LIMITS: readonly [KeepLimits, ...KeepLimits[]] = [
  { belowBytes: Infinity, jsonLength: 512, largeLength: 256, headLength: 100 },
  { belowBytes: 128 * MIB, jsonLength: 4_096, largeLength: 512, headLength: 400 },
  { belowBytes: 64 * MIB, jsonLength: 65_536, largeLength: 8_192, headLength: 4_000 },
];
/** With more large texts than this the whole value becomes one file. */
const MAX_LARGE_TEXTS = 8;

/** A value as a job keeps it. */
export interface KeptValue {
  value: JsonValue;
  /** Bytes of the JSON of `value`. */
  jsonBytes: number;
  /** About what it takes in memory. */
  memoryBytes: number;
  /** Of the value as it was. */
  digest: string;
  /** All that the value consists of beside what is in memory; heads are left out. */
  outputs: readonly OutputRef[];
}

/** The value as it is. */
export function keptAsItIs(value: JsonValue): KeptValue {
  const json = JSON.stringify(value);
  return kept(value, json, digestOfJson(json), measureValue(value, LIMITS[0]));
}

/** Makes values small enough for memory: what is large in them goes to files, and is never cut. */
export class ValueKeeper {
  constructor(
    private readonly files: OutputFiles,
    /** What the values of all jobs take in memory. */
    private readonly memoryBytes: () => number,
  ) {}

  /**
   * The value as it is kept; the job `holder` holds its outputs from now on. Throws FuncError
   * "unavailable" where the disk is full or fails.
   */
  async keep(holder: string, value: JsonValue): Promise<KeptValue> {
    const limits = this.limits();
    const measure = measureValue(value, limits);
    for (const { sha256 } of measure.outputs) this.hold(holder, sha256);
    if (measure.jsonLength <= limits.jsonLength) {
      const small = withShortHeads(value, measure, limits);
      const json = JSON.stringify(small);
      if (json.length <= limits.jsonLength) {
        const digest = digestOfJson(small === value ? json : JSON.stringify(value));
        return kept(small, json, digest, measure);
      }
    }
    if (fitsWithoutLarge(measure, limits)) {
      const digest = digestOfPieces(jsonPieces(value));
      const small = await this.withoutLarge(holder, value, measure.large, limits);
      return kept(small, JSON.stringify(small), digest, measureValue(small, limits));
    }
    const ref = await this.write(holder, "json", jsonPieces(value), limits.headLength);
    const digest = digestOfHash(ref.sha256);
    const small: JsonValue = { $output: { ...ref } };
    const inner = measure.outputs;
    return kept(small, JSON.stringify(small), digest, measureValue(small, limits), inner);
  }

  /** The whole value as one output. Throws FuncError "unavailable". */
  async asOutput(holder: string, value: JsonValue): Promise<JsonValue> {
    return { $output: { ...(await this.write(holder, "json", jsonPieces(value), 100)) } };
  }

  /** The error as it is kept: what is cut says so. */
  keepError(error: CallError): CallError {
    const most = Math.max(512, this.limits().jsonLength / 4);
    return { ...error, message: cut(error.message, most), trace: cut(error.trace, most) };
  }

  private limits(): KeepLimits {
    const used = this.memoryBytes();
    return LIMITS.findLast(({ belowBytes }) => used < belowBytes) ?? LIMITS[0];
  }

  private async withoutLarge(
    holder: string,
    value: JsonValue,
    large: readonly LargeText[],
    limits: KeepLimits,
  ): Promise<JsonValue> {
    const refs = new Map<string, OutputRef>();
    for (const { kind, text } of large) {
      const pieces = kind === "text" ? textSlices(text) : [Buffer.from(text, "base64")];
      refs.set(kind + text, await this.write(holder, kind, pieces, limits.headLength));
    }
    return replaceLarge(value, limits.largeLength, (part) => {
      if (!("text" in part)) return { $output: shortHead(part, limits) };
      const ref = refs.get(part.kind + part.text);
      return ref ? { $output: { ...ref } } : part.text;
    });
  }

  private async write(
    holder: string,
    kind: OutputRef["kind"],
    pieces: Iterable<string | Buffer>,
    headLength: number,
  ): Promise<OutputRef> {
    const writer = this.files.create();
    let head: string | undefined;
    try {
      for (const piece of pieces) {
        head ??= headOf(typeof piece === "string" ? piece : textOf(piece), headLength);
        if (!writer.write(typeof piece === "string" ? Buffer.from(piece) : piece)) {
          await writer.drained();
        }
      }
    } catch (error) {
      await writer.discard();
      throw error;
    }
    const { sha256, bytes } = await writer.finish();
    this.hold(holder, sha256);
    return { sha256, bytes, kind, head: head ?? "" };
  }

  private hold(holder: string, sha256: string): void {
    if (this.files.hold(holder, sha256)) return;
    throw new FuncError(
      "unavailable",
      "The call has run, but its output could not be kept: the file is gone.",
      "Look at the host before you call again.",
    );
  }
}

/** `inner` are the outputs in a value that has become an output itself. */
function kept(
  value: JsonValue,
  json: string,
  digest: string,
  measure: ValueMeasure,
  inner: readonly OutputRef[] = [],
): KeptValue {
  const outputs = [...measure.outputs, ...inner].map((ref) => ({ ...ref, head: "" }));
  const jsonBytes = Buffer.byteLength(json);
  // texts with other than Latin letters take more than a byte a letter in memory too
  const memoryBytes = Math.max(measure.memoryBytes, jsonBytes) + outputs.length * OUTPUT_JSON_BYTES;
  return { value, digest, jsonBytes, memoryBytes, outputs };
}

function fitsWithoutLarge(measure: ValueMeasure, limits: KeepLimits): boolean {
  const { large, jsonLength } = measure;
  if (large.length === 0 || large.length > MAX_LARGE_TEXTS) return false;
  const texts = large.reduce((sum, { text }) => sum + text.length, 0);
  const rest = jsonLength - texts + large.length * (OUTPUT_JSON_BYTES + limits.headLength);
  return rest <= limits.jsonLength;
}

function withShortHeads(value: JsonValue, measure: ValueMeasure, limits: KeepLimits): JsonValue {
  if (measure.outputs.every(({ head }) => head.length <= limits.headLength)) return value;
  return replaceLarge(value, Infinity, (part) =>
    "text" in part ? part.text : { $output: shortHead(part, limits) },
  );
}

function shortHead(ref: OutputRef, { headLength }: KeepLimits): { [name: string]: JsonValue } {
  return { ...ref, head: headOf(ref.head, headLength) };
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${headOf(text, most)}... (${text.length} characters in all)`;
}

/** The text that bytes begin with; nothing where they are none. */
function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, 4_000), {
      stream: true,
    });
  } catch {
    return "";
  }
}

function digestOfPieces(pieces: Iterable<string>): string {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return digestOfHash(hash.digest("hex"));
}
