import { outputRefOf } from "../protocol/outputs";
import type { JsonValue } from "../protocol/value";
import { headOf } from "./outputs/textSlices";

const MAX_LENGTH = 200;
/** Looked at for the first line that is not blank. */
const LOOK_LENGTH = 4_000;

/**
 * How a result begins: one line of at most 200 characters. Of what command.run answers (`isCommand`), how
 * its output begins. Undefined where there is nothing to show.
 */
export function excerptOf(value: JsonValue, isCommand: boolean): string | undefined {
  const line = firstLine(isCommand && Array.isArray(value) ? commandText(value) : textOf(value));
  return line === "" ? undefined : line;
}

/** The exit status in what command.run answers: exit status, output, error output. */
export function exitStatusOf(value: JsonValue): number | undefined {
  if (!Array.isArray(value) || value.length !== 3) return undefined;
  const [status] = value;
  return typeof status === "number" && Number.isInteger(status) ? status : undefined;
}

/** One line for people: what terminals obey, or reorder text by, and runs of blanks as one blank, at most `most` characters. */
export function oneLine(text: string, most = MAX_LENGTH): string {
  return headOf(text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\s]+/gu, " ").trim(), most);
}

/** What a failing command says about it stands in its error output. */
function commandText([status, output = "", errors = ""]: JsonValue[]): string {
  const [first, second] = status === 0 ? [output, errors] : [errors, output];
  const text = textOf(first);
  return text.trim() === "" ? textOf(second) : text;
}

function textOf(value: JsonValue): string {
  if (typeof value === "string") return value.slice(0, LOOK_LENGTH);
  const output = outputRefOf(value);
  return output ? output.head : JSON.stringify(value).slice(0, LOOK_LENGTH);
}

function firstLine(text: string): string {
  const line = /^.*\S.*$/m.exec(text)?.[0] ?? "";
  return oneLine(line);
}
