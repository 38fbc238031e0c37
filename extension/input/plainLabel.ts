/**
 * Text for a label, where VS Code would read "$(name)" as an icon: commands of the shell and texts of
 * minions have such. A zero-width space, which nobody sees or hears, keeps it text.
 */
export function plainLabel(text: string): string {
  return text.replaceAll("$(", "$\u200b(");
}
