import { appendFileSync, renameSync, statSync } from "node:fs";

/** At this size a log becomes `<file>.1`, replacing the one before. */
const MAX_BYTES = 5_000_000;

/**
 * Appends lines to a log file (mode 0600), at most about 10 MB in two files. Written synchronously, so that the
 * last words before an end are never lost; a full disk is no reason to end.
 */
export function logFileWriter(file: string): (line: string) => void {
  let size = sizeOf(file);
  return (line) => {
    try {
      if (size > MAX_BYTES) {
        renameSync(file, `${file}.1`);
        size = 0;
      }
      appendFileSync(file, line, { mode: 0o600 });
      size += Buffer.byteLength(line);
    } catch {
      size = sizeOf(file);
    }
  };
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}
