import type { MethodDescription } from "../protocol/methods";
import type { JsonValue } from "../protocol/value";

const MAX_LENGTH = 200;
const HIDDEN = "***";
const HIDDEN_JSON = JSON.stringify(HIDDEN);
const SECRET_KEY = /pass(word|wd|phrase)?$|secret|token|private_?key|credential/i;

/**
 * The arguments as short text for people. What the method declares as secret, or what a key calls so,
 * is hidden, and so is any private key.
 */
export function argsText(
  args: readonly JsonValue[],
  method: MethodDescription | undefined,
): string {
  const shown = args.map((value, index) => {
    const declared = method?.args;
    // further arguments belong to a last "list*"
    const argument = declared?.[Math.min(index, declared.length - 1)];
    return argument?.secret ? HIDDEN : textOf(value);
  });
  const text = shown.join(", ");
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH - 3)}...` : text;
}

/** True where an argument is declared as secret, or a part of one is called so: such are written nowhere. */
export function hasSecret(
  args: readonly JsonValue[],
  method: MethodDescription | undefined,
): boolean {
  const declared = method?.args ?? [];
  return args.some((value, index) => {
    const argument = declared[Math.min(index, declared.length - 1)];
    return argument?.secret === true || textOf(value).includes(HIDDEN_JSON);
  });
}

function textOf(value: JsonValue): string {
  const text = JSON.stringify(value, (key, inner: unknown) => {
    if (key !== "" && SECRET_KEY.test(key)) return HIDDEN;
    if (typeof inner !== "string") return inner;
    if (inner.includes("PRIVATE KEY-----")) return HIDDEN;
    return inner.length > MAX_LENGTH ? inner.slice(0, MAX_LENGTH) : inner;
  });
  return text;
}
