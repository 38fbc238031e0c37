import { l10n } from "vscode";

let thisYear: Intl.DateTimeFormat | undefined;
let otherYears: Intl.DateTimeFormat | undefined;

/** The local day of a time, "2026-01-31": equal days are equal texts. */
export function dayOf(ms: number): string {
  const at = new Date(ms);
  const two = (number: number): string => String(number).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** Whether the text is a day as `dayOf` writes it, and there is such a day. */
export function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && dayOf(dayRange(text).sinceMs) === text;
}

/** "Today", "Yesterday", or the date as the user's locale writes it. */
export function dayLabel(day: string, nowMs = Date.now()): string {
  if (day === dayOf(nowMs)) return l10n.t("Today");
  const { sinceMs, untilMs } = dayRange(day);
  if (untilMs === dayRange(dayOf(nowMs)).sinceMs) return l10n.t("Yesterday");
  const options = { weekday: "short", day: "numeric", month: "short" } as const;
  thisYear ??= new Intl.DateTimeFormat(undefined, options);
  otherYears ??= new Intl.DateTimeFormat(undefined, { ...options, year: "numeric" });
  const same = new Date(sinceMs).getFullYear() === new Date(nowMs).getFullYear();
  return (same ? thisYear : otherYears).format(sinceMs);
}

/** From the day's first moment to the next day's, which are not always 24 hours apart. */
export function dayRange(day: string): { sinceMs: number; untilMs: number } {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return {
    sinceMs: new Date(year, month - 1, date).getTime(),
    untilMs: new Date(year, month - 1, date + 1).getTime(),
  };
}
