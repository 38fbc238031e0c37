import type { SqlValue } from "./database";
import { textBytes } from "./database";
import type { DayDatabase } from "./dayDatabase";
import type { ResultDetail } from "./dayRows";

/** What is larger goes to the day's log, and equal ones once. */
const INLINE_BYTES = 200;

/** The columns `detail` and `hash`. */
export function keepDetail(
  day: DayDatabase,
  text: string | undefined,
): [detail: SqlValue, hash: SqlValue] {
  if (text === undefined) return [null, null];
  const bytes = textBytes(text);
  return bytes.length <= INLINE_BYTES ? [bytes, null] : [null, day.keepText(bytes)];
}

/** Of what has not ended; undefined where there is nothing. */
export function runningText(detail: ResultDetail): string | undefined {
  const text = JSON.stringify(detail);
  return text === "{}" ? undefined : text;
}
