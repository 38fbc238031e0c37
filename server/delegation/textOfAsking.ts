/** Said of calls, in the texts of errors. */
const OF_CALLS =
  /\[Errno -?\d+\] [A-Z][a-z ]+: |\(-?\d+, '[A-Z][a-z ]+\.?'\): | Nothing was run\.(?= |$)/g;

/**
 * The text of an error for one that asked a host for something where nothing was to be run: without the words that only
 * tell the original's scripts, or that nothing was run.
 */
export function textOfAsking(text: string): string {
  return text.replace(OF_CALLS, "");
}
