/**
 * One row of the tree "Minions". Interned by the tree, which VS Code asks about by identity; what a node
 * stands for is in its fields alone, so that commands and drops can be given any.
 */
export interface TreeNode {
  /**
   * `folder`: minions whose names start alike. `groups`: the section with all groups. `pattern`: a glob of
   * a group. `absent`: a host of a group that is not enrolled. `problem`: why the groups cannot be shown.
   * `behind`: a host that stands behind a sub-overlord; `part`: some of many such.
   */
  kind:
    "minion" | "folder" | "groups" | "group" | "pattern" | "absent" | "problem" | "behind" | "part";
  /** Name of the minion, host or group; what the folder's names start with; the glob; the problem. */
  name: string;
  /** The group that the row stands in. */
  group?: string;
  /** The glob of that group that the row stands below. */
  pattern?: string;
  /** Of `behind`, its names from this overlord's own minion on; of `part`, those of the sub-overlord. */
  path?: readonly string[];
}

const KINDS: ReadonlySet<unknown> = new Set<TreeNode["kind"]>([
  "minion",
  "folder",
  "groups",
  "group",
  "pattern",
  "absent",
  "problem",
  "behind",
  "part",
]);

export function isTreeNode(value: unknown): value is TreeNode {
  return (
    typeof value === "object" &&
    value !== null &&
    "kind" in value &&
    KINDS.has(value.kind) &&
    "name" in value &&
    typeof value.name === "string"
  );
}

/** Differs between any two rows; the same for the same row before and after a change. */
export function nodeKey({ kind, name, group, pattern, path = [] }: TreeNode): string {
  return [kind, group ?? "", pattern ?? "", ...path, name].join("/");
}

/** Whether the row is an entry of its group's own, which can be taken out of it. */
export function isGroupEntry({ kind, group, pattern }: TreeNode): boolean {
  if (group === undefined || pattern !== undefined) return false;
  return kind === "minion" || kind === "absent" || kind === "pattern";
}

/** What the row means in a target expression; undefined where it means nothing, or only its names say it. */
export function nodeSpec({ kind, name, group }: TreeNode): string | undefined {
  switch (kind) {
    case "minion":
    case "pattern":
      return name;
    case "group":
      return `@${name}`;
    case "folder":
      return group === undefined ? `${name}*` : undefined;
    case "groups":
    case "absent":
    case "problem":
    case "behind":
    case "part":
      return undefined;
  }
}
