import type { FuncError } from "../common/errors";

/** Every exit status of func but those of signals; documented in help.ts. */
export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;

/** The exit status for an error that ended the command. */
export function exitStatusOf({ reason }: FuncError): number {
  return reason === "bad-argument" || reason === "no-match" ? EXIT_USAGE : EXIT_FAILED;
}
