import type { ArgumentDescription } from "../protocol/methods";
import { XmlRpcDateTime, XmlRpcDouble, type XmlRpcStruct, type XmlRpcValue } from "../wire/value";
import { MethodError, TYPE_ERROR } from "./methodError";

const INTEGER = /^\s*[+-]?\d{1,19}\s*$/;
const FLOAT = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i;
/** Longer texts are no numbers; the patterns above would take very long to say so. */
const MAX_NUMBER_LENGTH = 400;
const TRUE = new Set(["true", "yes", "on", "1"]);
const FALSE = new Set(["false", "no", "off", "0"]);

/**
 * The arguments as the method expects them: counted, converted from strings where they read as the
 * declared type (a command line knows only strings), and checked against the declared bounds.
 * Throws MethodError "exceptions.TypeError" that names the method and the argument.
 */
export function checkArguments(
  method: string,
  declared: readonly ArgumentDescription[],
  given: readonly XmlRpcValue[],
): (XmlRpcValue | undefined)[] {
  const rest = declared.at(-1)?.type === "list*" ? declared.at(-1) : undefined;
  const single = rest ? declared.slice(0, -1) : declared;
  if (!rest && given.length > single.length) {
    throw new MethodError(
      TYPE_ERROR,
      `${method} takes ${count(single.length)}, but ${given.length} ${given.length === 1 ? "was" : "were"} given`,
    );
  }
  const checked = single.map((argument, index) => checkOne(method, argument, given[index]));
  if (!rest) return checked;
  const others = given.slice(single.length);
  if (others.length === 0 && !rest.optional) missing(method, rest);
  checkLength(method, rest, others.length, "items");
  return [...checked, ...others];
}

function checkOne(
  method: string,
  argument: ArgumentDescription,
  given: XmlRpcValue | undefined,
): XmlRpcValue | undefined {
  if (argument.untyped) return given === undefined ? absent(method, argument) : given;
  if (given === undefined || given === null) return absent(method, argument);
  const value = convert(argument, given);
  if (value === undefined) {
    wrong(method, argument, `has to be of type ${argument.type}, not ${typeName(given)}`);
  }
  checkBounds(method, argument, value);
  return value;
}

function absent(method: string, argument: ArgumentDescription): XmlRpcValue | undefined {
  if (!argument.optional) missing(method, argument);
  return argument.default;
}

function convert(argument: ArgumentDescription, value: XmlRpcValue): XmlRpcValue | undefined {
  switch (argument.type) {
    case "int":
      return toInteger(value);
    case "float":
      return toFloat(value);
    case "boolean":
      return toBoolean(value);
    case "string":
      return toText(value);
    case "hash":
      return isStruct(value) ? value : undefined;
    case "list":
    case "list*":
      return Array.isArray(value) ? value : undefined;
  }
}

function toInteger(value: XmlRpcValue): number | bigint | undefined {
  if (value instanceof XmlRpcDouble) return toInteger(value.value);
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : undefined;
  if (typeof value === "bigint") return value;
  if (typeof value !== "string" || value.length > MAX_NUMBER_LENGTH) return undefined;
  if (!INTEGER.test(value)) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : BigInt(value.trim().replace(/^\+/, ""));
}

function toFloat(value: XmlRpcValue): number | undefined {
  if (value instanceof XmlRpcDouble) return value.value;
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "string" || value.length > MAX_NUMBER_LENGTH) return undefined;
  return FLOAT.test(value) ? Number(value) : undefined;
}

function toBoolean(value: XmlRpcValue): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (typeof value !== "string" && typeof value !== "number") return undefined;
  if (typeof value === "string" && value.length > MAX_NUMBER_LENGTH) return undefined;
  const word = String(value).trim().toLowerCase();
  if (TRUE.has(word)) return true;
  return FALSE.has(word) ? false : undefined;
}

/** Text that XML cannot carry arrives as bytes. */
function toText(value: XmlRpcValue): string | undefined {
  if (typeof value === "string") return value;
  if (!(value instanceof Uint8Array)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    return undefined;
  }
}

/** An argument that is declared as "string" and not optional. */
export function asString(value: XmlRpcValue | undefined): string {
  if (typeof value === "string") return value;
  throw new MethodError(TYPE_ERROR, "a string is missing");
}

/** True for a struct, not for the other kinds of objects. */
export function isStruct(value: XmlRpcValue | undefined): value is XmlRpcStruct {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array) &&
    !(value instanceof XmlRpcDouble) &&
    !(value instanceof XmlRpcDateTime)
  );
}

function checkBounds(method: string, argument: ArgumentDescription, value: XmlRpcValue): void {
  const { min, max, options, validator } = argument;
  if (typeof value === "number" || typeof value === "bigint") {
    if (min !== undefined && value < min) wrong(method, argument, `is ${value}, less than ${min}`);
    if (max !== undefined && value > max) wrong(method, argument, `is ${value}, more than ${max}`);
    if (Number.isNaN(value)) wrong(method, argument, "is not a number");
  }
  if (typeof value === "string") checkLength(method, argument, value.length, "characters");
  if (Array.isArray(value)) checkLength(method, argument, value.length, "items");
  if (options && !options.some((option) => option === value)) {
    wrong(method, argument, `has to be one of ${options.join(", ")}`);
  }
  if (validator !== undefined && typeof value === "string") {
    if (!new RegExp(`^(?:${validator})$`).test(value)) {
      wrong(method, argument, `does not match ${validator}`);
    }
  }
}

function checkLength(
  method: string,
  argument: ArgumentDescription,
  length: number,
  unit: string,
): void {
  const { minLength, maxLength } = argument;
  if (minLength !== undefined && length < minLength) {
    wrong(method, argument, `has ${length} ${unit}, fewer than ${minLength}`);
  }
  if (maxLength !== undefined && length > maxLength) {
    wrong(method, argument, `has ${length} ${unit}, more than ${maxLength}`);
  }
}

function typeName(value: XmlRpcValue): string {
  if (value === null) return "nil";
  if (Array.isArray(value)) return "list";
  if (value instanceof Uint8Array) return "base64";
  if (value instanceof XmlRpcDouble) return "float";
  if (value instanceof XmlRpcDateTime) return "dateTime";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float";
  if (typeof value === "bigint") return "int";
  return typeof value === "object" ? "hash" : typeof value;
}

function count(arguments_: number): string {
  if (arguments_ === 0) return "no arguments";
  return arguments_ === 1 ? "1 argument" : `at most ${arguments_} arguments`;
}

function missing(method: string, argument: ArgumentDescription): never {
  throw new MethodError(TYPE_ERROR, `${method}: the argument "${argument.name}" is missing`);
}

function wrong(method: string, argument: ArgumentDescription, what: string): never {
  throw new MethodError(TYPE_ERROR, `${method}: the argument "${argument.name}" ${what}`);
}
