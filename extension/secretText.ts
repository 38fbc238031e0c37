import type { JsonValue } from "../server/protocol/value";

const SECRET_WORD =
  "(?:pass(?:word|wd|phrase)?|passwd|secret|token|api[-_]?key|private[-_]?key|credentials?|authorization)";
/** A key, a variable or an option that is called so. */
const SECRET_KEY = new RegExp(`${SECRET_WORD}s?$`, "i");

const SECRETS: readonly RegExp[] = [
  /PRIVATE KEY-----/,
  /\bfunc-join-[A-Za-z0-9_-]+/,
  // the word itself, and what is given to it: PASSWORD=..., --token ..., "secret": ...
  new RegExp(`(?:^|[^A-Za-z])[A-Za-z0-9_-]*${SECRET_WORD}["']?(?:\\s*[=:]\\s*|\\s+)\\S`, "i"),
  /\bbearer\s+\S/i,
  /\b(?:chpasswd|sshpass)\b/,
  // an option of many clients, as in mysql -psecret, curl -u name:secret
  /\b(?:mysql\w*|mariadb\w*)\b.*\s-p\S/,
  /\bcurl\b.*\s(?:-u|--user)[\s=]\S/,
  /\b[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:[^/\s@]+@/i,
  /\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|AKIA[0-9A-Z]{16}|eyJ[\w-]{8,}\.)/,
  // a hashed password of crypt(3)
  /\$(?:[156y]|2[aby])\$\S{8}/,
  // random: long, with all three kinds of characters
  /\b(?=[A-Za-z0-9+]*[a-z])(?=[A-Za-z0-9+]*[A-Z])(?=[A-Za-z0-9+]*\d)[A-Za-z0-9+]{32,}/,
];

/** Whether a value holds what looks like a password, key or token, so that it should not be kept. */
export function looksSecret(value: JsonValue): boolean {
  if (typeof value === "string") return SECRETS.some((form) => form.test(value));
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some(looksSecret);
  return Object.entries(value).some(([key, inner]) => SECRET_KEY.test(key) || looksSecret(inner));
}
