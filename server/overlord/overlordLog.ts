import { appendFileSync, renameSync, statSync } from "node:fs";
import { createLog, type Log } from "../common/log";

/** At this size the log becomes `overlord.log.1`, replacing the one before. */
const MAX_BYTES = 5_000_000;

/**
 * The overlord's log file: one JSON object a line with `pid`, at most about 10 MB in two files. Written
 * synchronously, so that the last words before an end are never lost; a full disk is no reason to end.
 */
export function openOverlordLog(file: string): Log {
  let size = sizeOf(file);
  const log = createLog((line) => {
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
  });
  const { pid } = process;
  return {
    debug: (message, fields) => {
      log.debug(message, { pid, ...fields });
    },
    info: (message, fields) => {
      log.info(message, { pid, ...fields });
    },
    warn: (message, fields) => {
      log.warn(message, { pid, ...fields });
    },
    error: (message, fields) => {
      log.error(message, { pid, ...fields });
    },
  };
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}
