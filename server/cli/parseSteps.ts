import { FuncError } from "../common/errors";
import { groupUsage } from "./help";
import type { OptionReader } from "./optionReader";

/** The value of `option`, above 0 and at most `most`. Throws FuncError "bad-argument". */
export function number(option: string, text: string, most: number): number {
  const value = /^\d*\.?\d+$|^\d+\.$/.test(text) ? Number(text) : NaN;
  if (!(value > 0) || value > most) {
    throw usage(`${option} needs a number above 0 and at most ${most}, not "${text}".`);
  }
  return value;
}

/** Throws FuncError "bad-argument" where another word follows. */
export function nothingMore(reader: OptionReader): void {
  const more = reader.next();
  if (more !== undefined) throw usage(`The word "${more.word}" is too much here.`);
}

/** For a word that needs one of several actions. */
export function reservedUsage(word: string, actions: string): FuncError {
  return new FuncError(
    "bad-argument",
    `func ${word} needs one of: ${actions}.`,
    `${groupUsage(word)}\nFor a minion named ${word}: func -- ${word} ping`,
  );
}

/** What was typed is wrong. */
export function usage(message: string): FuncError {
  return new FuncError("bad-argument", message, `See "func --help".`);
}
