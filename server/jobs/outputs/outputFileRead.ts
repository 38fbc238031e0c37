import { open, type FileHandle } from "node:fs/promises";
import { hostname } from "node:os";
import { FuncError, messageOf } from "../../common/errors";

/** A range of an output's file. */
export interface OutputFileRange {
  path: string;
  sha256: string;
  offset: number;
  /** Within the output. */
  length: number;
  /** How many bytes the file should have. */
  total: number;
  /** The jobs whose results the output is part of. */
  jobs: ReadonlySet<string>;
}

/** Throws FuncError "bad-data" where the file is missing or was cut, "unavailable" where the disk fails. */
export async function readOutputFile(range: OutputFileRange): Promise<Buffer> {
  const { path, length } = range;
  const buffer = Buffer.allocUnsafe(length);
  let bytes: number;
  try {
    const handle = await open(path, "r");
    try {
      if (await fill(handle, buffer, range.offset)) return buffer;
      bytes = (await handle.stat()).size;
    } finally {
      await handle.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") throw lost(range, "is missing");
    throw new FuncError(
      "unavailable",
      `The output in ${path} cannot be read: ${messageOf(error)}`,
      `Look at that disk of ${hostname()}, then try again.`,
      { cause: error },
    );
  }
  throw lost(range, `has been cut to ${bytes} of ${range.total} bytes`);
}

/** False where the file ends before. */
async function fill(handle: FileHandle, buffer: Buffer, offset: number): Promise<boolean> {
  for (let read = 0; read < buffer.length;) {
    const { bytesRead } = await handle.read(buffer, read, buffer.length - read, offset + read);
    if (bytesRead === 0) return false;
    read += bytesRead;
  }
  return true;
}

function lost({ path, sha256, jobs }: OutputFileRange, what: string): FuncError {
  const [job] = jobs;
  const more = jobs.size > 1 ? ` and ${jobs.size - 1} more` : "";
  const of = job === undefined ? "" : ` of job ${job}${more}`;
  return new FuncError(
    "bad-data",
    `The output ${sha256.slice(0, 12)}${of} is damaged: its file ${path} on ${hostname()} ${what}.`,
    "Restore that file from a backup, or call the method again where you need its output.",
  );
}
