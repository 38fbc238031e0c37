/** So many names are shown of a longer list. */
const MAX_SHOWN = 10;

/** `web1, web2, ... and 90 more`. */
export function firstNames(names: readonly string[]): string {
  const more = names.length - MAX_SHOWN;
  const shown = names.slice(0, MAX_SHOWN).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}
