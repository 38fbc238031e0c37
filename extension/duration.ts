import { l10n } from "vscode";

/** "15 minutes"; rounded to whole ones, at least one. */
export function messageForMinutes(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / 60_000));
  return minutes === 1 ? l10n.t("1 minute") : l10n.t("{0} minutes", minutes);
}
