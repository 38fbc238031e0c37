export type LogLevel = "debug" | "info" | "warn" | "error";

/** Structured log: `fields` are values to search for; never keys, tokens or arguments of calls. */
export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

const ORDER: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** A log of one JSON object a line: `{time, level, message, ...fields}`. */
export function createLog(write: (line: string) => void, least: LogLevel = "info"): Log {
  const at =
    (level: LogLevel) =>
    (message: string, fields: Record<string, unknown> = {}): void => {
      if (ORDER.indexOf(level) < ORDER.indexOf(least)) return;
      write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`);
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** A log that goes nowhere, for callers that have none. */
export const silentLog: Log = createLog(() => undefined);
