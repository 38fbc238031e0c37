import type { JsonValue } from "../protocol/value";

/**
 * The words behind METHOD as arguments: strings as they are, or where `typed`, the JSON values they
 * are (a word that is no JSON stays a string).
 */
export function callArguments(words: readonly string[], typed: boolean): JsonValue[] {
  return typed ? words.map(readTyped) : [...words];
}

function readTyped(word: string): JsonValue {
  try {
    return JSON.parse(word) as JsonValue;
  } catch {
    return word;
  }
}
