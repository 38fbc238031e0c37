import { EventEmitter, type TreeDataProvider, type TreeItem } from "vscode";
import { behindItem, partItem } from "./behindItems";
import type { BehindModel } from "./behindModel";
import { isGlob, type GroupsModel } from "./groupsModel";
import { minionNodes } from "./minionFolders";
import type { MinionsModel } from "./minionsModel";
import {
  absentItem,
  folderItem,
  groupItem,
  groupsItem,
  minionItem,
  minionTooltip,
  patternItem,
  problemItem,
} from "./treeItems";
import { nodeKey, type TreeNode } from "./treeNode";

/** So many single nodes are refreshed one by one; beyond, the whole tree is cheaper. */
const MAX_SINGLE_REFRESHES = 200;
/** Changes come in bursts: a ping of 1,000 minions is one refresh, not 1,000. */
const COALESCE_MS = 100;

/** The tree "Minions": a view of the models, with stable ids; below sub-overlords stand their minions. */
export class MinionsTree implements TreeDataProvider<TreeNode> {
  private readonly nodes = new Map<string, TreeNode>();
  /** The rows of each minion, which can also stand in groups. */
  private readonly minionRows = new Map<string, TreeNode[]>();
  private readonly emitter = new EventEmitter<TreeNode[] | undefined>();
  readonly onDidChangeTreeData = this.emitter.event;
  private pending = new Set<TreeNode>();
  private everything = false;
  private timer: NodeJS.Timeout | undefined;
  private hasBehind = false;

  /** `loaded` is awaited before the first level is shown, so that the view shows its progress bar. */
  constructor(
    private readonly model: MinionsModel,
    private readonly groups: GroupsModel,
    private readonly behind: BehindModel,
    private readonly loaded: () => Promise<void>,
  ) {}

  /** Names whose records changed, or undefined where minions or groups came or went. */
  refresh(names?: readonly string[]): void {
    if (names === undefined) this.everything = true;
    for (const name of names ?? []) {
      for (const node of this.minionRows.get(name) ?? []) this.pending.add(node);
    }
    this.timer ??= setTimeout(() => {
      this.flush();
    }, COALESCE_MS);
  }

  /** Whether any row stands for a host behind a sub-overlord. */
  get showsBehind(): boolean {
    return this.hasBehind;
  }

  async getChildren(parent?: TreeNode): Promise<TreeNode[]> {
    if (!parent) {
      await this.loaded();
      return [...this.groupsSection(), ...this.level(this.model.names())];
    }
    switch (parent.kind) {
      case "folder":
        return this.level(await this.namesOfFolder(parent), parent);
      case "pattern":
        return this.level(await this.namesIn(parent), parent, "");
      case "groups":
        return this.groupRows();
      case "group":
        return this.entries(parent.name);
      case "minion":
      case "behind":
        return this.behindLevel(parent, parent.path ?? [parent.name]);
      case "part":
        return this.behindLevel(parent, parent.path ?? [], parent.name);
      case "absent":
      case "problem":
        return [];
    }
  }

  async getTreeItem(node: TreeNode): Promise<TreeItem> {
    switch (node.kind) {
      case "minion":
        return minionItem(node, this.model.get(node.name), this.behind.countBehind([node.name]));
      case "behind": {
        const { path = [] } = node;
        const awayHop = this.isAway(path.slice(0, -1)) ? path.at(-2) : undefined;
        const count = this.behind.countBehind(path);
        return behindItem(node, this.behind.stateOf(path), count, awayHop);
      }
      case "part":
        return partItem(node, this.namesBehind(node.path ?? [], node.name).length);
      case "folder":
        return folderItem(node, (await this.namesOfFolder(node)).length);
      case "groups":
        return groupsItem(node, this.groups.records.length, this.groups.problem);
      case "group":
        return groupItem(node, this.hosts(node.name), await this.count(node));
      case "pattern":
        return patternItem(node, await this.count(node));
      case "absent":
        return absentItem(node);
      case "problem":
        return problemItem(node);
    }
  }

  resolveTreeItem(item: TreeItem, node: TreeNode): TreeItem {
    const record = node.kind === "minion" ? this.model.get(node.name) : undefined;
    if (record) item.tooltip = minionTooltip(record);
    return item;
  }

  /** The minions that a node stands for, sorted. Rejects where the overlord must be asked and is lost. */
  async namesIn(node: TreeNode): Promise<readonly string[]> {
    switch (node.kind) {
      case "minion":
        return [node.name];
      case "group":
        return this.groups.members(node.name);
      case "pattern":
        return this.groups.members(node.group ?? "", node.name);
      case "folder":
        return (await this.namesOfFolder(node)).filter((name) => this.model.get(name));
      case "groups":
      case "absent":
      case "problem":
      case "behind":
      case "part":
        return [];
    }
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.emitter.dispose();
  }

  /** Of a folder in a group, also its hosts that are not enrolled. */
  private async namesOfFolder({ name, group, pattern }: TreeNode): Promise<readonly string[]> {
    const all =
      group === undefined
        ? this.model.names()
        : pattern === undefined
          ? this.hostNames(group, name)
          : await this.groups.members(group, pattern);
    return all.filter((member) => member.startsWith(name));
  }

  private groupsSection(): TreeNode[] {
    const some = this.groups.records.length > 0 || this.groups.problem !== undefined;
    // without minions the view says how to get some
    return some && this.model.size > 0 ? [this.node({ kind: "groups", name: "" })] : [];
  }

  private groupRows(): TreeNode[] {
    const { problem, records } = this.groups;
    if (problem) return [this.node({ kind: "problem", name: problem.message })];
    return records.map(({ name }) => this.node({ kind: "group", name }));
  }

  /** A group's globs, then its hosts. */
  private entries(group: string): TreeNode[] {
    const patterns = this.hosts(group).filter(isGlob).sort();
    return [
      ...patterns.map((name) => this.node({ kind: "pattern", name, group })),
      ...this.level(this.hostNames(group), { kind: "group", name: group }, ""),
    ];
  }

  /** The rows for sorted names, in folders where they are many. */
  private level(names: readonly string[], parent?: TreeNode, prefix = parent?.name): TreeNode[] {
    const place = placeBelow(parent);
    return minionNodes(names, prefix).map((found) => {
      if (found.kind === "folder") {
        return this.node({ kind: "folder", name: found.prefix, ...place });
      }
      const kind = this.model.get(found.name) ? "minion" : "absent";
      return this.node({ kind, name: found.name, ...place });
    });
  }

  private isAway(path: readonly string[]): boolean {
    const [name = ""] = path;
    const host = path.length === 1 ? this.model.get(name) : this.behind.stateOf(path);
    return host?.state === "unreachable";
  }

  /** The rows for those behind the sub-overlord at `path`, in parts where they are many. */
  private behindLevel(parent: TreeNode, path: readonly string[], prefix = ""): TreeNode[] {
    const place = placeBelow(parent);
    this.hasBehind = true;
    return minionNodes(this.namesBehind(path, prefix), prefix).map((found) =>
      found.kind === "folder"
        ? this.node({ kind: "part", name: found.prefix, path, ...place })
        : this.node({ kind: "behind", name: found.name, path: [...path, found.name], ...place }),
    );
  }

  /** Sorted; those that start with `prefix`. */
  private namesBehind(path: readonly string[], prefix = ""): readonly string[] {
    const names = this.behind.childrenOf(path).map(({ name }) => name);
    return names.filter((name) => name.startsWith(prefix)).sort();
  }

  private hosts(group: string): readonly string[] {
    return this.groups.records.find(({ name }) => name === group)?.hosts ?? [];
  }

  /** A group's hosts without its globs, sorted; those that start with `prefix`. */
  private hostNames(group: string, prefix = ""): readonly string[] {
    return this.hosts(group)
      .filter((host) => host.startsWith(prefix) && !isGlob(host))
      .sort();
  }

  private async count(node: TreeNode): Promise<number | undefined> {
    try {
      return (await this.namesIn(node)).length;
    } catch {
      return undefined;
    }
  }

  private node(wanted: TreeNode): TreeNode {
    const key = nodeKey(wanted);
    const known = this.nodes.get(key);
    if (known) return known;
    this.nodes.set(key, wanted);
    if (wanted.kind === "minion") {
      const rows = this.minionRows.get(wanted.name);
      if (rows) rows.push(wanted);
      else this.minionRows.set(wanted.name, [wanted]);
    }
    return wanted;
  }

  private flush(): void {
    this.timer = undefined;
    const nodes = [...this.pending];
    const whole = this.everything || nodes.length > MAX_SINGLE_REFRESHES;
    this.pending = new Set();
    this.everything = false;
    if (whole) {
      // what is gone must not stay here; VS Code asks for all rows that it shows again
      this.nodes.clear();
      this.minionRows.clear();
      this.emitter.fire(undefined);
    } else if (nodes.length > 0) this.emitter.fire(nodes);
  }
}

/** Where the rows below a node stand. */
function placeBelow(parent: TreeNode | undefined): Pick<TreeNode, "group" | "pattern"> {
  switch (parent?.kind) {
    case "group":
      return { group: parent.name };
    case "pattern":
      return { group: parent.group, pattern: parent.name };
    case "folder":
    case "minion":
    case "behind":
    case "part":
      return { group: parent.group, pattern: parent.pattern };
    default:
      return {};
  }
}
