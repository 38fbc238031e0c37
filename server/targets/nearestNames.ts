/** Longer texts are compared by their beginning only: this is a hint for people. */
const MAX_COMPARED = 64;
/** Shorter texts are part of nearly any name. */
const MIN_ABBREVIATION = 3;

/** Up to `count` of the names that look most like `wanted`; none where nothing looks like it. */
export function nearestNames(wanted: string, names: readonly string[], count = 3): string[] {
  const text = wanted
    .toLowerCase()
    .replace(/\[[^\]]*\]|[*?]/g, "")
    .slice(0, MAX_COMPARED);
  if (text === "") return [];
  const allowed = Math.max(1, Math.floor(text.length / 3));
  return names
    .map((name) => ({ name, distance: distanceOf(text, name.slice(0, MAX_COMPARED), allowed) }))
    .filter(({ distance }) => Math.floor(distance) <= allowed)
    .sort((a, b) => a.distance - b.distance || a.name.localeCompare(b.name))
    .slice(0, count)
    .map(({ name }) => name);
}

/** Edits from one to the other; the rest of a name after `text` counts little ("web" means "web01.example"). */
function distanceOf(text: string, name: string, allowed: number): number {
  if (name.startsWith(text)) return 0.5;
  if (text.startsWith(`${name}.`)) return 0.75;
  const firstLabel = name.split(".", 1)[0] ?? name;
  return Math.min(
    editDistance(text, name, allowed),
    0.5 + editDistance(text, firstLabel, allowed),
    // behind every misspelling, those with the fewest left out first
    isAbbreviation(text, name) ? allowed + 1 - 1 / (1 + name.length - text.length) : Infinity,
  );
}

/** "mini1" is one of "minion1": the same beginning, and the rest in the same order. */
function isAbbreviation(text: string, name: string): boolean {
  if (text.length < MIN_ABBREVIATION || !name.startsWith(text.charAt(0))) return false;
  let at = 0;
  for (const character of name) if (character === text[at]) at++;
  return at === text.length;
}

/** Letters inserted, removed, changed, or two neighbours exchanged. */
function editDistance(left: string, right: string, allowed: number): number {
  if (Math.abs(left.length - right.length) > allowed) return Infinity;
  let before: number[] = [];
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const change = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      let least = Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]) {
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      }
      next.push(least);
    }
    before = row;
    row = next;
  }
  return row.at(-1) ?? Infinity;
}
