import { l10n } from "vscode";

/** "15 minutes"; rounded to whole ones, at least one. */
export function messageForMinutes(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / 60_000));
  return minutes === 1 ? l10n.t("1 minute") : l10n.t("{0} minutes", minutes);
}

/** "0.3 s", "12 s", "5 min 20 s", "3 h 10 min", "2 d 4 h". */
export function elapsedText(ms: number): string {
  const seconds = Math.max(0, ms) / 1_000;
  if (seconds < 10) return l10n.t("{0} s", seconds.toFixed(1));
  if (seconds < 60) return l10n.t("{0} s", Math.round(seconds));
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return l10n.t("{0} min {1} s", minutes, Math.floor(seconds % 60));
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return l10n.t("{0} h {1} min", hours, minutes % 60);
  return l10n.t("{0} d {1} h", Math.floor(hours / 24), hours % 24);
}
