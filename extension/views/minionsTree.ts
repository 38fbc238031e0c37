import {
  EventEmitter,
  l10n,
  MarkdownString,
  ThemeColor,
  ThemeIcon,
  TreeItem,
  TreeItemCollapsibleState,
  type TreeDataProvider,
} from "vscode";
import type { MinionRecord } from "../../server/protocol/minions";
import { plainProblem } from "../results/plainProblem";
import { minionNodes } from "./minionGroups";
import type { MinionsModel } from "./minionsModel";

/** A minion, or a folder of minions whose names start alike. Interned: VS Code knows them by identity. */
export interface TreeNode {
  kind: "minion" | "group";
  /** Name of the minion, or what the group's names start with. */
  name: string;
}

/** So many single nodes are refreshed one by one; beyond, the whole tree is cheaper. */
const MAX_SINGLE_REFRESHES = 200;
/** Changes come in bursts: a ping of 1,000 minions is one refresh, not 1,000. */
const COALESCE_MS = 100;

/** The tree "Minions": a view of the model, with stable ids. */
export class MinionsTree implements TreeDataProvider<TreeNode> {
  private readonly nodes = new Map<string, TreeNode>();
  private readonly emitter = new EventEmitter<TreeNode[] | undefined>();
  readonly onDidChangeTreeData = this.emitter.event;
  private pending = new Set<TreeNode>();
  private everything = false;
  private timer: NodeJS.Timeout | undefined;

  /** `loaded` is awaited before the first level is shown, so that the view shows its progress bar. */
  constructor(
    private readonly model: MinionsModel,
    private readonly loaded: () => Promise<void>,
  ) {}

  /** Names whose records changed, or undefined where minions came or went. */
  refresh(names?: readonly string[]): void {
    if (names === undefined) this.everything = true;
    for (const name of names ?? []) {
      const node = this.nodes.get(`minion/${name}`);
      if (node) this.pending.add(node);
    }
    this.timer ??= setTimeout(() => {
      this.flush();
    }, COALESCE_MS);
  }

  async getChildren(parent?: TreeNode): Promise<TreeNode[]> {
    if (!parent) await this.loaded();
    const names = parent ? this.namesIn(parent) : this.model.names();
    return minionNodes(names, parent?.name).map((node) =>
      node.kind === "minion" ? this.node("minion", node.name) : this.node("group", node.prefix),
    );
  }

  getTreeItem(node: TreeNode): TreeItem {
    if (node.kind === "group") return this.groupItem(node);
    const item = new TreeItem(node.name);
    item.id = `minion/${node.name}`;
    const record = this.model.get(node.name);
    if (!record) return item;
    item.description = describe(record);
    item.iconPath = ICONS[record.state]();
    item.contextValue = `minion;${record.state}`;
    item.accessibilityInformation = { label: `${node.name}, ${item.description}` };
    return item;
  }

  resolveTreeItem(item: TreeItem, node: TreeNode): TreeItem {
    const record = node.kind === "minion" ? this.model.get(node.name) : undefined;
    if (record) item.tooltip = tooltip(record);
    return item;
  }

  /** The minions that a node stands for. */
  namesIn(node: TreeNode): readonly string[] {
    if (node.kind === "minion") return [node.name];
    return this.model.names().filter((name) => name.startsWith(node.name));
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.emitter.dispose();
  }

  private node(kind: TreeNode["kind"], name: string): TreeNode {
    const key = `${kind}/${name}`;
    const known = this.nodes.get(key);
    if (known) return known;
    const node: TreeNode = { kind, name };
    this.nodes.set(key, node);
    return node;
  }

  private groupItem(node: TreeNode): TreeItem {
    const item = new TreeItem(`${node.name}…`, TreeItemCollapsibleState.Collapsed);
    const count = this.namesIn(node).length;
    item.id = `group/${node.name}`;
    item.description = l10n.t("{0} minions", count);
    item.iconPath = new ThemeIcon("server-environment");
    item.contextValue = "group";
    item.tooltip = `${node.name}*`;
    return item;
  }

  private flush(): void {
    this.timer = undefined;
    const nodes = [...this.pending];
    const whole = this.everything || nodes.length > MAX_SINGLE_REFRESHES;
    this.pending = new Set();
    this.everything = false;
    if (this.nodes.size > this.model.size * 2 + 1_000) this.nodes.clear();
    if (whole) this.emitter.fire(undefined);
    else if (nodes.length > 0) this.emitter.fire(nodes);
  }
}

const ICONS: Record<MinionRecord["state"], () => ThemeIcon> = {
  online: () => new ThemeIcon("pass", new ThemeColor("testing.iconPassed")),
  unreachable: () => new ThemeIcon("error", new ThemeColor("testing.iconFailed")),
  unknown: () => new ThemeIcon("circle-outline", new ThemeColor("testing.iconUnset")),
};

function describe(record: MinionRecord): string {
  const endpoint = `${record.address}:${record.port}`;
  switch (record.state) {
    case "online":
      return l10n.t("online · {0}", endpoint);
    case "unknown":
      return l10n.t("not called yet · {0}", endpoint);
    case "unreachable":
      return record.problem
        ? l10n.t("unreachable: {0}", plainProblem(record.problem))
        : l10n.t("unreachable · {0}", endpoint);
  }
}

/** What minions say about themselves is untrusted. appendText would join words so that lines break in them. */
function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-!|<>&~]/g, "\\$&").replace(/\s+/g, " ");
}

function tooltip(record: MinionRecord): MarkdownString {
  const text = new MarkdownString();
  const line = (label: string, value: string): void => {
    text.appendMarkdown(`**${label}** ${escaped(value)}  \n`);
  };
  const date = (ms: number): string => new Date(ms).toLocaleString();
  text.appendMarkdown(`### ${escaped(record.name)}\n\n`);
  line(
    l10n.t("State"),
    record.problem ? `${record.state}: ${plainProblem(record.problem)}` : record.state,
  );
  line(l10n.t("Address"), `${record.address}:${record.port}`);
  if (record.lastSeenMs !== undefined) line(l10n.t("Last seen"), date(record.lastSeenMs));
  line(l10n.t("Joined"), date(record.enrolledAtMs));
  line(l10n.t("Certificate valid until"), date(record.certificateNotAfterMs));
  line(l10n.t("Key (SHA-256)"), record.keyFingerprint);
  return text;
}
