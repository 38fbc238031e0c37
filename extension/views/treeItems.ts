import {
  l10n,
  MarkdownString,
  ThemeColor,
  ThemeIcon,
  TreeItem,
  TreeItemCollapsibleState,
} from "vscode";
import { dateText } from "../dateText";
import type { FuncError } from "../../server/common/errors";
import type { MinionRecord } from "../../server/protocol/minions";
import { COMMANDS } from "../commandIds";
import { plainProblem } from "../results/plainProblem";
import { isGroupEntry, nodeKey, type TreeNode } from "./treeNode";

/**
 * The row of a minion; `record` is undefined where it was forgotten meanwhile. `behind`: how many stand behind it,
 * where it is a sub-overlord.
 */
export function minionItem(node: TreeNode, record: MinionRecord | undefined, behind = 0): TreeItem {
  const { Collapsed, None } = TreeItemCollapsibleState;
  const item = new TreeItem(node.name, behind > 0 ? Collapsed : None);
  item.id = nodeKey(node);
  if (!record) return item;
  const { state } = record;
  item.description = behind > 0 ? `${minionCount(behind)} · ${describe(record)}` : describe(record);
  item.iconPath = behind > 0 ? overlordIcon(state) : stateIcon(state);
  const flags = [behind > 0 ? ";overlord" : "", isGroupEntry(node) ? ";entry" : ""];
  item.contextValue = `minion;${state}${flags.join("")}`;
  item.accessibilityInformation = { label: `${node.name}, ${item.description}` };
  return item;
}

/** A folder of minions whose names start alike. */
export function folderItem(node: TreeNode, count: number): TreeItem {
  const item = collapsed(node, `${node.name}…`, minionCount(count));
  item.iconPath = new ThemeIcon("server-environment");
  item.contextValue = "folder";
  item.tooltip = `${node.name}*`;
  return item;
}

/** The section with all groups. */
export function groupsItem(node: TreeNode, count: number, problem?: FuncError): TreeItem {
  const item = collapsed(node, l10n.t("Groups"), problem ? l10n.t("cannot be read") : `${count}`);
  item.iconPath = problem
    ? new ThemeIcon("warning", new ThemeColor("list.warningForeground"))
    : new ThemeIcon("organization");
  item.contextValue = "groups";
  if (problem) item.collapsibleState = TreeItemCollapsibleState.Expanded;
  return item;
}

/** A group; `count` is undefined where nobody can say now. */
export function groupItem(node: TreeNode, hosts: readonly string[], count?: number): TreeItem {
  const item = collapsed(node, node.name, count === undefined ? "" : minionCount(count));
  item.iconPath = new ThemeIcon("tag");
  item.contextValue = "group";
  item.tooltip = `@${node.name}: ${shortList(hosts)}`;
  return item;
}

/** A glob of a group. */
export function patternItem(node: TreeNode, count?: number): TreeItem {
  const item = collapsed(node, node.name, count === undefined ? "" : minionCount(count));
  item.iconPath = new ThemeIcon("symbol-operator");
  item.contextValue = "pattern;entry";
  item.tooltip = l10n.t("Every minion whose name matches {0}", node.name);
  return item;
}

/** A host of a group that the overlord does not know. */
export function absentItem(node: TreeNode): TreeItem {
  const item = new TreeItem(node.name);
  item.id = nodeKey(node);
  item.description = l10n.t("not enrolled");
  item.iconPath = new ThemeIcon("circle-slash", new ThemeColor("testing.iconUnset"));
  item.contextValue = "absent;entry";
  item.accessibilityInformation = { label: `${node.name}, ${item.description}` };
  return item;
}

/** Why there are no groups to show; a click opens their file. */
export function problemItem(node: TreeNode): TreeItem {
  // a long path in front would leave no room for what is wrong; the tooltip has it
  const item = new TreeItem(node.name.replace(/^.*?groups:(\d+): /, "$1: "));
  item.id = nodeKey(node);
  item.iconPath = new ThemeIcon("error", new ThemeColor("list.errorForeground"));
  item.contextValue = "problem";
  item.tooltip = l10n.t("{0} Click to open the file.", node.name);
  item.command = { command: COMMANDS.openGroupsFile, title: l10n.t("Open Groups File") };
  return item;
}

function collapsed(node: TreeNode, label: string, description: string): TreeItem {
  const item = new TreeItem(label, TreeItemCollapsibleState.Collapsed);
  item.id = nodeKey(node);
  item.description = description;
  return item;
}

export function minionCount(count: number): string {
  return count === 1 ? l10n.t("1 minion") : l10n.t("{0} minions", count);
}

function shortList(hosts: readonly string[]): string {
  const rest = hosts.length - MAX_LISTED;
  const shown = hosts.slice(0, MAX_LISTED).join(", ");
  return rest > 0 ? l10n.t("{0} and {1} more", shown, rest) : shown;
}

/** A tooltip is no place for a thousand names. */
const MAX_LISTED = 20;

const ICONS: Record<MinionRecord["state"], () => ThemeIcon> = {
  online: () => new ThemeIcon("pass", new ThemeColor("testing.iconPassed")),
  unreachable: () => new ThemeIcon("error", new ThemeColor("testing.iconFailed")),
  unknown: () => new ThemeIcon("circle-outline", new ThemeColor("testing.iconUnset")),
};

/** How a minion stands. */
export function stateIcon(state: MinionRecord["state"]): ThemeIcon {
  return ICONS[state]();
}

/** How a sub-overlord stands. */
export function overlordIcon(state: MinionRecord["state"]): ThemeIcon {
  return new ThemeIcon("radio-tower", ICONS[state]().color);
}

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

/** All that is known of a minion. */
export function minionTooltip(record: MinionRecord): MarkdownString {
  const text = new MarkdownString();
  const line = (label: string, value: string): void => {
    text.appendMarkdown(`**${label}** ${escaped(value)}  \n`);
  };
  text.appendMarkdown(`### ${escaped(record.name)}\n\n`);
  line(
    l10n.t("State"),
    record.problem ? `${record.state}: ${plainProblem(record.problem)}` : record.state,
  );
  line(l10n.t("Address"), `${record.address}:${record.port}`);
  if (record.lastSeenMs !== undefined) line(l10n.t("Last seen"), dateText(record.lastSeenMs));
  line(l10n.t("Joined"), dateText(record.enrolledAtMs));
  line(l10n.t("Certificate valid until"), dateText(record.certificateNotAfterMs));
  line(l10n.t("Key (SHA-256)"), record.keyFingerprint);
  return text;
}
