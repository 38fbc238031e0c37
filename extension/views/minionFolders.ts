/** VS Code's tree gets slow beyond this many siblings. */
export const MAX_SIBLINGS = 1_000;

/** A folder of names with a common beginning, or a name itself. */
export type MinionNode =
  { kind: "folder"; prefix: string; names: readonly string[] } | { kind: "minion"; name: string };

/**
 * What stands under a folder (or at the top, with an empty prefix): the names themselves while they
 * are few, else folders by their next letters, so that no level is longer than `limit`.
 * `names` is sorted and every name starts with `prefix`.
 */
export function minionNodes(
  names: readonly string[],
  prefix = "",
  limit = MAX_SIBLINGS,
): MinionNode[] {
  if (names.length <= limit) return names.map((name) => ({ kind: "minion", name }));
  const shared = commonPrefix(names);
  const from = Math.max(shared.length, prefix.length);
  let folders = foldersAt(names, from + 1);
  // more letters make more, smaller folders: go on while they still fit one level
  for (let length = from + 2; largest(folders) > limit; length++) {
    const finer = foldersAt(names, length);
    if (finer.size > limit || length > from + 8) break;
    folders = finer;
  }
  return [...folders].map(([key, members]): MinionNode => {
    const [only] = members;
    return members.length === 1 && only !== undefined
      ? { kind: "minion", name: only }
      : { kind: "folder", prefix: key, names: members };
  });
}

function foldersAt(names: readonly string[], length: number): Map<string, string[]> {
  const folders = new Map<string, string[]>();
  for (const name of names) {
    const key = name.slice(0, length);
    const folder = folders.get(key);
    if (folder) folder.push(name);
    else folders.set(key, [name]);
  }
  return folders;
}

function largest(folders: Map<string, string[]>): number {
  return Math.max(...[...folders.values()].map((members) => members.length));
}

/** Of sorted names the first and last differ the most. */
function commonPrefix(names: readonly string[]): string {
  const first = names[0] ?? "";
  const last = names.at(-1) ?? "";
  let length = 0;
  while (length < first.length && first[length] === last[length]) length++;
  return first.slice(0, length);
}
