import { FuncError } from "./errors";

const NAME = /^[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?)*$/;
const MAX_LENGTH = 253;

/** True where `name` follows the one grammar of host names here: lower-case DNS labels, "_" allowed. */
export function isMinionName(name: string): boolean {
  return name.length <= MAX_LENGTH && NAME.test(name);
}

/** `name` in lower case. Throws FuncError "bad-argument" where it does not follow the grammar of minions' names. */
export function parseMinionName(name: string, what = "a minion name"): string {
  const lower = name.toLowerCase();
  if (!isMinionName(lower)) {
    throw new FuncError(
      "bad-argument",
      `"${printable(name)}" is not ${what}: use letters, digits, "-", "_" and "." (at most 253, each part at most 63).`,
    );
  }
  return lower;
}

function printable(text: string): string {
  return text.slice(0, 80).replace(/[^\x20-\x7e]/g, "?");
}
