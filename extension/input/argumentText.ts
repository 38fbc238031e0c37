import type { ArgumentDescription } from "../../server/protocol/methods";
import type { JsonValue } from "../../server/protocol/value";

/**
 * What one would type for each argument of a list that was sent, so that parseArgument gives it again;
 * undefined for those that were left out, are secret, or were never declared.
 */
export function argumentTexts(
  descriptions: readonly ArgumentDescription[],
  args: readonly JsonValue[],
): (string | undefined)[] {
  return descriptions.map((description, position) => {
    if (description.secret || position >= args.length) return undefined;
    // the rest of the list belongs to a "list*"
    const value = description.type === "list*" ? args.slice(position) : args[position];
    return value === undefined ? undefined : textOf(description, value);
  });
}

function textOf(description: ArgumentDescription, value: JsonValue): string {
  if (typeof value === "string") {
    // any text that is JSON would be read as that where every type is allowed
    return description.untyped && isJson(value) ? JSON.stringify(value) : value;
  }
  const double = doubleOf(value);
  if (double !== undefined && !description.untyped) return String(double);
  return JSON.stringify(value);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A float without a fraction stands as {"$double": 2}. */
function doubleOf(value: JsonValue): number | undefined {
  if (typeof value !== "object" || value === null || !("$double" in value)) return undefined;
  const { $double: double } = value as { $double: JsonValue };
  return typeof double === "number" ? double : undefined;
}
