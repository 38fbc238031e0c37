let format: Intl.DateTimeFormat | undefined;
let timeFormat: Intl.DateTimeFormat | undefined;

/** Date and time as the user's locale writes them. One formatter for all: making one takes long. */
export function dateText(ms: number): string {
  format ??= new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "medium" });
  return format.format(ms);
}

/** The time of the day, without seconds, as the user's locale writes it. */
export function timeText(ms: number): string {
  timeFormat ??= new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
  return timeFormat.format(ms);
}
