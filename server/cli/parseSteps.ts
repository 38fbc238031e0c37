import { FuncError } from "../common/errors";
import { groupUsage, helpOf } from "./help";
import type { OptionReader } from "./optionReader";

/** What the number of an option counts, and its limits. */
interface NumberRange {
  unit: string;
  least: number;
  most: number;
  example: string;
}

/** The value of `option`, a plain decimal. Throws FuncError "bad-argument". */
export function number(option: string, text: string, range: NumberRange): number {
  const { unit, least, most, example } = range;
  const value = /^\d*\.?\d+$|^\d+\.$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  throw usage(
    `${option} needs a plain number of ${unit} from ${least} to ${most}, such as ${example}, not "${text}".`,
  );
}

/** The value of `option`, from 1 to `most`. Throws FuncError "bad-argument". */
export function wholeNumber(option: string, text: string, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= 1 && value <= most) return value;
  throw usage(`${option} needs a whole number from 1 to ${most}, not "${text}".`);
}

/** Throws FuncError "bad-argument" where another word follows. */
export function nothingMore(reader: OptionReader): void {
  const more = reader.next();
  if (more !== undefined) throw usage(`The word "${more.word}" is too much here.`);
}

/** More lines than this hide the error above them. */
const MAX_USAGE_LINES = 8;

/** For a word that needs one of several actions, and has none or `given`. */
export function reservedUsage(word: string, actions: string, given?: string): FuncError {
  const lines = groupUsage(word);
  const isLong = given !== undefined && lines.split("\n").length > MAX_USAGE_LINES;
  return new FuncError(
    "bad-argument",
    `func ${word} needs one of: ${actions}${given === undefined ? "" : `; not "${given}"`}.`,
    `${isLong ? helpOf(word) : lines}\nFor a minion named ${word}: func -- ${word} ping`,
  );
}

/** The same error with the help of this command in the place of all, where it points there. */
export function towardsHelp(error: unknown, topic: string | undefined): unknown {
  const isGeneral = error instanceof FuncError && error.nextStep?.startsWith(helpOf()) === true;
  if (!isGeneral || topic === undefined || groupUsage(topic) === "") return error;
  return new FuncError(error.reason, error.message, helpOf(topic));
}

/** What was typed is wrong. */
export function usage(message: string): FuncError {
  return new FuncError("bad-argument", message, helpOf());
}
