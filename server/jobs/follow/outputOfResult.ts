import type { JsonValue } from "../../protocol/value";
import { outputRefOf } from "../../protocol/outputs";
import type { OutputFiles } from "../outputs/outputFiles";

/** A value that was put away as a whole is read back where it is no larger. */
const MAX_WHOLE_BYTES = 1024 * 1024;

/** An output as a result has it. */
export interface StoredOutput {
  bytes: number;
  /** Throws FuncError where its file is gone. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

export interface StoredOutputs {
  stdout: StoredOutput;
  stderr: StoredOutput;
}

/**
 * What a command wrote, out of its result `[exit status, output, error output]`; undefined where the value is
 * another. Throws FuncError where a file of it is gone.
 */
export async function outputsOfResult(
  value: JsonValue | undefined,
  files: OutputFiles,
): Promise<StoredOutputs | undefined> {
  const ref = outputRefOf(value);
  if (ref?.kind === "json" && ref.bytes <= MAX_WHOLE_BYTES) {
    const { bytes } = await files.read(ref.sha256, 0, ref.bytes);
    return outputsOfResult(JSON.parse(bytes.toString()) as JsonValue, files);
  }
  if (!Array.isArray(value) || value.length !== 3 || typeof value[0] !== "number") return undefined;
  const stdout = storedOutput(value[1], files);
  const stderr = storedOutput(value[2], files);
  return stdout && stderr && { stdout, stderr };
}

function storedOutput(value: JsonValue | undefined, files: OutputFiles): StoredOutput | undefined {
  const ref = outputRefOf(value);
  if (ref) {
    const { sha256, bytes } = ref;
    const read = async (offset: number, length: number): Promise<Uint8Array> =>
      (await files.read(sha256, offset, length)).bytes;
    return ref.kind === "json" ? undefined : { bytes, read };
  }
  const bytes = bytesOf(value);
  if (!bytes) return undefined;
  const read = (offset: number, length: number): Promise<Uint8Array> =>
    Promise.resolve(bytes.subarray(offset, offset + length));
  return { bytes: bytes.length, read };
}

function bytesOf(value: JsonValue | undefined): Uint8Array | undefined {
  if (typeof value === "string") return Buffer.from(value);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { $base64: base64 } = value;
  return typeof base64 === "string" ? Buffer.from(base64, "base64") : undefined;
}
