import { FuncError } from "../../common/errors";

const GLOB = /^[a-z0-9._*?-]+$/;
const MAX_GLOB = 253;

/**
 * A glob for minion names, in lower case: "*" is any characters, "?" is one. Throws FuncError "bad-argument"
 * where it has characters that no name can have.
 */
export function parseNameGlob(text: string): string {
  const glob = text.trim().toLowerCase();
  if (glob.length > MAX_GLOB || !GLOB.test(glob)) {
    throw new FuncError(
      "bad-argument",
      `"${text.slice(0, 80).replace(/[^\x20-\x7e]/g, "?")}" is not a pattern for minion names.`,
      'Use letters, digits, "-", "_" and ".", with "*" for any characters and "?" for one.',
    );
  }
  return glob;
}

/** True where the whole name fits. Takes at most name length x glob length steps, unlike a regular expression. */
export function matchesNameGlob(glob: string, name: string): boolean {
  let g = 0;
  let n = 0;
  let star = -1;
  let retry = 0;
  while (n < name.length) {
    if (glob[g] === "*") {
      star = g++;
      retry = n;
    } else if (glob[g] === "?" || glob[g] === name[n]) {
      g++;
      n++;
    } else if (star >= 0) {
      g = star + 1;
      n = ++retry;
    } else {
      return false;
    }
  }
  return /^\**$/.test(glob.slice(g));
}
