import { FuncError, messageOf } from "../../server/common/errors";
import type { ArgumentDescription } from "../../server/protocol/methods";
import type { JsonValue } from "../../server/protocol/value";

/** `skipped` is true where an optional argument was left empty. */
export type ParsedArgument = { skipped: true } | { skipped: false; value: JsonValue };

/**
 * The value of what was typed for one argument, by its declared type. Lists are JSON or comma
 * separated, hashes are JSON. Throws FuncError "bad-argument" with a sentence for the user.
 */
export function parseArgument(description: ArgumentDescription, text: string): ParsedArgument {
  if (text.trim() === "" && description.optional) return { skipped: true };
  return { skipped: false, value: valueOf(description, text) };
}

function valueOf(description: ArgumentDescription, text: string): JsonValue {
  if (description.untyped && description.type === "string") return guessed(text);
  switch (description.type) {
    case "int":
      return number(description, text, /^[+-]?\d{1,15}$/, "a whole number");
    case "float":
      return number(description, text, /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i, "a number");
    case "boolean":
      return boolean(description, text);
    case "list":
    case "list*":
      return list(description, text);
    case "hash":
      return hash(description, text);
    case "string":
      return string(description, text);
  }
}

function number(
  description: ArgumentDescription,
  text: string,
  form: RegExp,
  what: string,
): JsonValue {
  const trimmed = text.trim();
  if (!form.test(trimmed)) throw wrong(description, `must be ${what}`);
  const value = Number(trimmed);
  const { min, max } = description;
  if (min !== undefined && value < min) throw wrong(description, `must be at least ${min}`);
  if (max !== undefined && value > max) throw wrong(description, `must be at most ${max}`);
  oneOfOptions(description, value);
  // a float without a fraction must not turn into an integer on the wire
  return description.type === "float" && Number.isInteger(value) ? { $double: value } : value;
}

function boolean(description: ArgumentDescription, text: string): JsonValue {
  const word = text.trim().toLowerCase();
  if (["true", "yes", "1", "on"].includes(word)) return true;
  if (["false", "no", "0", "off"].includes(word)) return false;
  throw wrong(description, "must be true or false");
}

function string(description: ArgumentDescription, text: string): JsonValue {
  inLength(description, text.length, "characters");
  oneOfOptions(description, text);
  const pattern = description.validator && regularExpression(description.validator);
  if (pattern && !pattern.test(text)) {
    throw wrong(description, `must match ${description.validator}`);
  }
  return text;
}

function list(description: ArgumentDescription, text: string): JsonValue {
  const trimmed = text.trim();
  const values = trimmed.startsWith("[")
    ? json(description, trimmed)
    : trimmed === ""
      ? []
      : trimmed
          .split(",")
          .map((item) => item.trim())
          .map((item) => (description.untyped ? guessed(item) : item));
  if (!Array.isArray(values)) throw wrong(description, "must be a list");
  inLength(description, values.length, "items");
  return values;
}

/** For arguments of any type: JSON where it is some (so `"42"` is the string), else the text itself. */
function guessed(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}

function hash(description: ArgumentDescription, text: string): JsonValue {
  const value = json(description, text.trim());
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrong(description, 'must be a JSON object such as {"key": "value"}');
  }
  return value;
}

function json(description: ArgumentDescription, text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw wrong(description, `must be JSON (${messageOf(error)})`);
  }
}

function inLength(description: ArgumentDescription, length: number, unit: string): void {
  const { minLength, maxLength } = description;
  if (length === 0 && !description.optional && description.type === "string") {
    throw wrong(description, "is needed");
  }
  if (minLength !== undefined && length < minLength) {
    throw wrong(description, `must have at least ${minLength} ${unit}`);
  }
  if (maxLength !== undefined && length > maxLength) {
    throw wrong(description, `must have at most ${maxLength} ${unit}`);
  }
}

function oneOfOptions(description: ArgumentDescription, value: string | number): void {
  if (description.options && !description.options.includes(value)) {
    throw wrong(description, `must be one of ${description.options.join(", ")}`);
  }
}

/** A whole-string match, or undefined for an expression of another dialect: the minion checks again. */
function regularExpression(source: string): RegExp | undefined {
  try {
    return new RegExp(`^(?:${source})$`, "u");
  } catch {
    return undefined;
  }
}

function wrong(description: ArgumentDescription, problem: string): FuncError {
  return new FuncError("bad-argument", `${description.name} ${problem}.`);
}

/**
 * The argument list to send: skipped arguments at the end are left out, one before a given argument
 * takes its default. Throws FuncError "bad-argument" where such a one has no default.
 */
export function argumentList(
  descriptions: readonly ArgumentDescription[],
  parsed: readonly ParsedArgument[],
): JsonValue[] {
  const last = parsed.findLastIndex((argument) => !argument.skipped);
  return parsed.slice(0, last + 1).flatMap((argument, position): JsonValue[] => {
    const description = descriptions[position];
    if (argument.skipped) {
      if (description?.default === undefined) {
        throw new FuncError(
          "bad-argument",
          `${description?.name ?? "An argument"} has no default and stands before an argument that was given.`,
          "Give it a value, or leave the later ones empty.",
        );
      }
      return [description.default];
    }
    // a "list*" argument is the method's rest: its items are arguments of their own
    return description?.type === "list*" && Array.isArray(argument.value)
      ? argument.value
      : [argument.value];
  });
}
