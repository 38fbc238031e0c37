import type { FuncError } from "../common/errors";

/** Every exit status of func but those of signals; documented in help.ts. */
export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;
/** Of --raw, whose other statuses are the command's: there is no result, as ssh says it. */
export const EXIT_NO_RESULT = 255;

/** The exit status for an error that ended the command. */
export function exitStatusOf({ reason }: FuncError): number {
  return reason === "bad-argument" || reason === "no-match" ? EXIT_USAGE : EXIT_FAILED;
}
