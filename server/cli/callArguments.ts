import type { JsonValue } from "../protocol/value";
import { fromJson } from "../wire/jsonValue";

/**
 * The words behind METHOD as arguments: strings as they are, or where `typed`, the JSON values they
 * are (a word that is no JSON stays a string). Throws FuncError "bad-argument" for JSON that cannot be
 * sent, such as a number without end or values that nest too deep even for JSON-RPC.
 */
export function callArguments(words: readonly string[], typed: boolean): JsonValue[] {
  return typed ? words.map(readTyped) : [...words];
}

function readTyped(word: string): JsonValue {
  let value: JsonValue;
  try {
    value = JSON.parse(word) as JsonValue;
  } catch {
    return word;
  }
  fromJson(value);
  return value;
}
