import { createLog, type Log } from "../common/log";
import { logFileWriter } from "../common/logFile";

/** The overlord's log file: one JSON object a line with `pid`, bounded as `logFileWriter` says. */
export function openOverlordLog(file: string): Log {
  const log = createLog(logFileWriter(file));
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
